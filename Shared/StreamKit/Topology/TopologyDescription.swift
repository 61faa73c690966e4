import JSON

/// A topology as people and programs look at it. `deadLetters` is the topic of what any of its steps refuses.
extension Topology {
    /// One line a step, under its sub-topology.
    public func describe(deadLetters: String) -> String {
        var lines = ["application \(application)"]
        for part in subtopologies {
            lines.append("sub-topology \(part.index)")
            for node in part.nodes {
                let definition = nodes[node]
                var line = "  \(kindName(definition)) \(definition.name)"
                if !definition.inputs.isEmpty {
                    line += " <- " + definition.inputs.map(inputName).joined(separator: ", ")
                }
                let topics = topics(of: definition)
                if !topics.isEmpty { line += " topics: " + topics.joined(separator: ", ") }
                if !definition.stores.isEmpty {
                    line +=
                        " stores: "
                        + definition.stores.map { "\($0.name) (\(changelogTopic($0)))" }.joined(separator: ", ")
                }
                lines.append(line)
            }
        }
        lines.append("refused records topics: \(deadLetters)")
        return lines.joined(separator: "\n") + "\n"
    }

    /// A flow chart in Mermaid's language.
    public func describeMermaid(deadLetters: String) -> String {
        var lines = ["flowchart LR"]
        var topicNumbers: [String: Int] = [:]
        var edges: [String] = []
        func topic(_ name: String) -> String {
            if topicNumbers[name] == nil {
                topicNumbers[name] = topicNumbers.count
                lines.append("    t\(topicNumbers.count - 1)[(\"\(Self.mermaidText(name))\")]")
            }
            return "t\(topicNumbers[name] ?? 0)"
        }
        for part in subtopologies {
            var steps: [String] = []
            for node in part.nodes {
                let definition = nodes[node]
                steps.append("        n\(node)[\"\(Self.mermaidText(definition.name))\"]")
                for input in definition.inputs { edges.append("    n\(input.node) --> n\(node)") }
                for name in topics(of: definition) {
                    edges.append(
                        isSource(definition) ? "    \(topic(name)) --> n\(node)" : "    n\(node) --> \(topic(name))")
                }
                for store in definition.stores { edges.append("    n\(node) -.- \(topic(changelogTopic(store)))") }
            }
            lines.append("    subgraph s\(part.index)[\"sub-topology \(part.index)\"]")
            lines += steps
            lines.append("    end")
            edges.append("    s\(part.index) -. refused .-> \(topic(deadLetters))")
        }
        return (lines + edges).joined(separator: "\n") + "\n"
    }

    public func describeJSON(deadLetters: String) -> String {
        let output = OutputBuffer()
        let writer = JSONWriter(output)
        writer.beginObject()
        writer.key("application")
        writer.string(application)
        writer.key("subtopologies")
        writer.beginArray()
        for part in subtopologies {
            writer.beginObject()
            writer.key("index")
            writer.integer(Int64(part.index))
            writer.key("nodes")
            writer.beginArray()
            for node in part.nodes { describe(nodes[node], to: writer) }
            writer.endArray()
            writer.endObject()
        }
        writer.endArray()
        writer.key("dead_letters")
        writer.string(deadLetters)
        writer.endObject()
        return String(decoding: output.bytes, as: UTF8.self)
    }

    private func describe(_ node: Node, to writer: JSONWriter) {
        writer.beginObject()
        writer.key("name")
        writer.string(node.name)
        writer.key("kind")
        writer.string(kindName(node))
        list("inputs", node.inputs.map(inputName), to: writer)
        list("topics", topics(of: node), to: writer)
        list("stores", node.stores.map(\.name), to: writer)
        list("changelogs", node.stores.map(changelogTopic), to: writer)
        writer.endObject()
    }

    private func list(_ key: String, _ values: [String], to writer: JSONWriter) {
        writer.key(key)
        writer.beginArray()
        for value in values { writer.string(value) }
        writer.endArray()
    }

    private func inputName(_ edge: Edge) -> String {
        edge.output == 0 ? nodes[edge.node].name : "\(nodes[edge.node].name).\(edge.output)"
    }

    private func kindName(_ node: Node) -> String {
        switch node.kind {
        case .source, .repartitionSource: "source"
        case .process, .shuffle: "processor"
        case .sink, .repartitionSink: "sink"
        }
    }

    private func isSource(_ node: Node) -> Bool {
        switch node.kind {
        case .source, .repartitionSource: true
        case .process, .shuffle, .sink, .repartitionSink: false
        }
    }

    /// What a node reads, or writes.
    private func topics(of node: Node) -> [String] {
        switch node.kind {
        case .source(let topics): topics
        case .repartitionSource(let topic), .repartitionSink(let topic, _), .shuffle(let topic, _):
            [repartitionTopic(topic)]
        case .sink(let sink): [sink.topic]
        case .process: []
        }
    }

    private static func mermaidText(_ text: String) -> String {
        text.map { $0 == "\"" ? "#quot;" : String($0) }.joined()
    }
}
