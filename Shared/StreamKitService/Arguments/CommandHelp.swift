extension Command {
    private static let lineWidth = 100

    /// The text of `--help`.
    ///
    /// - Parameter path: the names that lead to this command.
    func help(_ path: [String]) -> String {
        var text = "Usage: " + usage(path) + "\n\n" + Self.wrap(about, indent: 0) + "\n"
        text += Self.table("Arguments", positionals.map { ($0.name, $0.help) })
        text += Self.table("Commands", subcommands.map { ($0.name, $0.summary) })
        var rows = options.map { option in
            (option.usage, option.help + (option.isRepeated ? " May be repeated." : ""))
        }
        rows.append(("--help", "Shows this help."))
        if version != nil { rows.append(("--version", "Shows the version.")) }
        text += Self.table("Options", rows)
        if !footer.isEmpty { text += "\n" + footer + (footer.hasSuffix("\n") ? "" : "\n") }
        return text
    }

    /// The first sentence of what it is about.
    private var summary: String {
        var text = ""
        for word in about.split(separator: " ") {
            text += (text.isEmpty ? "" : " ") + word
            if word.hasSuffix(".") { break }
        }
        return text
    }

    private func usage(_ path: [String]) -> String {
        var words = path
        words += options.map { option in
            (option.isRequired ? option.usage : "[\(option.usage)]") + (option.isRepeated ? "..." : "")
        }
        words += positionals.map(\.usage)
        if !subcommands.isEmpty { words.append("COMMAND") }
        return words.joined(separator: " ")
    }

    private static func table(_ title: String, _ rows: [(name: String, help: String)]) -> String {
        guard !rows.isEmpty else { return "" }
        let width = min(32, rows.map(\.name.count).max() ?? 0)
        var text = "\n\(title):\n"
        for row in rows {
            let help = wrap(row.help, indent: width + 4)
            if row.name.count <= width {
                text += "  " + row.name + String(repeating: " ", count: width - row.name.count) + "  " + help + "\n"
            } else {
                text += "  \(row.name)\n" + String(repeating: " ", count: width + 4) + help + "\n"
            }
        }
        return text
    }

    /// Breaks lines between words; those after the first begin with `indent` spaces.
    private static func wrap(_ text: String, indent: Int) -> String {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, indent + line.count + 1 + word.count > lineWidth {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return (lines + [line]).joined(separator: "\n" + String(repeating: " ", count: indent))
    }
}
