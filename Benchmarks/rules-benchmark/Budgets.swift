import Expressions
import JSON
import JSONSchema
import StreamKit
import StreamKitRules
import StreamKitService

/// What a record may cost at most, measured with the order pipeline's own schema and rules, as a table for BENCHMARKS.md.
struct Budgets {
    /// The best of so many loops over all measurements in turn: on a machine that others use, the least disturbed.
    private static let rounds = 60

    private struct Measure {
        let name: String
        let budget: Int
        let operations: Int
        let body: () -> Int
    }

    /// The validator's file, read as the validator reads it.
    private struct Rules {
        let declarations: RuleDeclarations
        let schema: JSONSchema?
        let conditions: [Expression]

        init(_ settings: SettingsReader) {
            for key in ["application", "input", "output", "dead_letters", "key", "commit"] { _ = settings.tree(key) }
            let declarations = RuleDeclarations(settings)
            self.declarations = declarations
            schema = SchemaSettings.schema(settings, "schema")
            conditions = settings.sections("rules").compactMap { section in
                _ = section.required("field", .text)
                _ = section.required("message", .text)
                return declarations.compile(section, "require", expecting: .bool)
            }
        }
    }

    private static let file = "deploy/pipelines/orders/validator.yaml"

    static func run(_ orders: Orders) throws {
        let rules = try SettingsDocument(file: file, environment: StreamKitService.Environment([:])).read { Rules($0) }
            .settings
        let measures = try reading(orders) + validation(orders, rules) + expressions(orders)
        var best = [UInt64](repeating: .max, count: measures.count)
        var allocations = [UInt64](repeating: .max, count: measures.count)
        for measure in measures where measure.body() == 0 { print("\(measure.name) did nothing") }
        for _ in 0..<rounds {
            for (index, measure) in measures.enumerated() {
                let used = Measurement.once(measure.body)
                best[index] = min(best[index], used.nanoseconds)
                allocations[index] = min(allocations[index], used.allocations)
            }
        }
        print("| per record | ns of CPU | at most | allocations |\n|---|---|---|---|")
        for (index, measure) in measures.enumerated() {
            let nanoseconds = Double(best[index]) / Double(measure.operations)
            let perOperation = Double(allocations[index]) / Double(measure.operations)
            print(
                "| \(measure.name) | \(Measurement.rounded(nanoseconds)) | \(measure.budget) | "
                    + "\(Measurement.rounded(perOperation)) |")
        }
    }

    private static func reading(_ orders: Orders) -> [Measure] {
        let record = JSONRecord()
        let slots = ["order_id", "customer_id", "amount", "currency", "status", "timestamp", "items_count"].map {
            record.declare($0)
        }
        return [
            Measure(
                name: "an order of \(orders.averageByteCount) bytes read strictly, its seven fields looked up",
                budget: 100,
                operations: orders.texts.count
            ) {
                var sum = 0
                slots.withUnsafeBufferPointer { slots in
                    for text in orders.texts {
                        do { try record.read(text) } catch { return }
                        for slot in slots { sum &+= record.field(slot)?.offset ?? 0 }
                    }
                }
                return sum
            }
        ]
    }

    private static func validation(_ orders: Orders, _ rules: Rules) -> [Measure] {
        guard let schema = rules.schema else { return [] }
        let context = EvaluationContext(rules.declarations.environment)
        let validator = SchemaValidator(schema, record: context.record)
        let conditions = Conditions(rules.conditions, in: context)
        return [
            Measure(
                name: "the same, its schema and three business rules fulfilled", budget: 300,
                operations: orders.texts.count
            ) {
                var valid = 0
                for text in orders.texts {
                    do { try context.read(text) } catch { continue }
                    if validator.isValid(), conditions.allHold() {
                        valid &+= 1
                    }
                }
                return valid == orders.texts.count ? valid : 0
            }
        ]
    }

    private static func expressions(_ orders: Orders) throws -> [Measure] {
        var environment = Expressions.Environment()
        environment.declareRecord(
            ObjectType(
                name: "order", fields: [.init("status", .string), .init("items_count", .int), .init("amount", .dyn)]))
        let context = EvaluationContext(environment)
        var measures: [Measure] = []
        for source in [#"status == "confirmed""#, "items_count >= 1", #"status in ["confirmed", "shipped"]"#] {
            let condition = try environment.compile(source, expecting: .bool)
            measures.append(
                Measure(name: "`\(source)`", budget: 20, operations: 20_000) {
                    var evaluated = 0
                    do { try context.read(orders.texts[0]) } catch { return 0 }
                    for _ in 0..<20_000 where (try? condition.bool(in: context)) != nil { evaluated &+= 1 }
                    return evaluated
                })
        }
        let source = #"(decimal(amount) * decimal("0.0825")).round(2)"#
        let tax = try environment.compile(source, expecting: .decimal)
        measures.append(
            Measure(name: "`\(source)`, the amount read already", budget: 60, operations: 20_000) {
                var evaluated = 0
                do { try context.read(orders.texts[0]) } catch { return 0 }
                for _ in 0..<20_000 where (try? tax.evaluate(in: context)) != nil { evaluated &+= 1 }
                return evaluated
            })
        return measures
    }
}
