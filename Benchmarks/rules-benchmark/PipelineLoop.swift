import Expressions
import JSON
import JSONSchema
import StreamKit
import StreamKitRules
import StreamKitService

/// What the order pipeline's validator or enricher does with each record, over and over, with nothing around it: for counting
/// instructions, which other programs on the machine do not disturb.
///
/// `valgrind --tool=callgrind --toggle-collect='*measuredPass*' rules-benchmark --loop validator 10` counts the passes alone, each over
/// 2,000 orders. (Debug information makes valgrind slow: `strip --strip-debug` first.)
enum PipelineLoop {
    /// So many of the orders are refused: one in fifty.
    private static let invalidEvery = 50

    static func run(_ stage: String, passes: Int) throws {
        let file = "deploy/pipelines/orders/\(stage == "invalid" ? "validator" : stage).yaml"
        let orders = Orders(count: 2_000).texts
        let document = try SettingsDocument(file: file, environment: StreamKitService.Environment([:]))
        let body: () -> Int
        switch stage {
        case "validator", "invalid":
            let isInvalid = stage == "invalid"
            let mixed = orders.enumerated().map { number, order in
                isInvalid || number % invalidEvery == 0 ? spoilt(order, number) : order
            }
            body = validator(try document.read { ValidatorRules($0) }.settings, mixed)
        case "enricher": body = enricher(try document.read { EnricherRules($0) }.settings, orders)
        default:
            print("there is no loop for \(stage); there are validator, invalid, enricher")
            return
        }
        var done = 0
        for _ in 0..<passes { done &+= measuredPass(body) }
        print("\(passes * orders.count) records, \(done) bytes or violations")
    }

    /// A name for the profiler.
    @inline(never)
    private static func measuredPass(_ body: () -> Int) -> Int { body() }

    /// The order with one thing wrong.
    private static func spoilt(_ order: UnsafeRawBufferPointer, _ number: Int) -> UnsafeRawBufferPointer {
        let text = String(decoding: order, as: UTF8.self)
        let faults = [
            ("\"currency\":\"", "\"currency\":\"?"), ("\"amount\":\"", "\"amount\":\"-"),
            ("\"status\":\"", "\"status\":\"un"),
            ("\"items_count\":", "\"items_count\":-"), ("\"order_id\":", "\"other_id\":"),
            ("\"timestamp\":\"2", "\"timestamp\":\"x"),
        ]
        let (part, replacement) = faults[number / invalidEvery % faults.count]
        let pieces = text.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
        let bytes = Array(pieces.joined(separator: replacement).utf8)
        // Kept for the life of the process.
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        copy.copyBytes(from: bytes)
        return UnsafeRawBufferPointer(copy)
    }

    // MARK: The services' rules

    private struct ValidatorRules {
        let declarations: RuleDeclarations
        let schema: JSONSchema?
        let conditions: [Expression]
        let messages: [String]
        let key: Expression?

        init(_ settings: SettingsReader) {
            for key in ["application", "input", "output", "dead_letters", "commit"] { _ = settings.tree(key) }
            let declarations = RuleDeclarations(settings)
            self.declarations = declarations
            schema = SchemaSettings.schema(settings, "schema")
            key = declarations.compile(settings, "key", expecting: nil)
            var conditions: [Expression] = []
            var messages: [String] = []
            for section in settings.sections("rules") {
                _ = section.required("field", .text)
                messages.append(section.required("message", .text))
                if let rule = declarations.compile(section, "require", expecting: .bool) { conditions.append(rule) }
            }
            self.conditions = conditions
            self.messages = messages
        }
    }

    private static func validator(_ rules: ValidatorRules, _ orders: [UnsafeRawBufferPointer]) -> () -> Int {
        let context = EvaluationContext(rules.declarations.environment)
        guard let schema = rules.schema, let key = rules.key else { return { 0 } }
        let validator = SchemaValidator(schema, record: context.record)
        let conditions = Conditions(rules.conditions, in: context)
        let keys = OutputBuffer()
        return loop(orders, context) {
            if !validator.isValid() || !conditions.allHold() { return validator.violations().count }
            keys.removeAll()
            try key.writeBytes(in: context, to: keys)
            return keys.count
        }
    }

    /// Once over all orders; what cannot be read or computed is passed over.
    private static func loop(
        _ orders: [UnsafeRawBufferPointer], _ context: EvaluationContext, _ body: @escaping () throws -> Int
    ) -> () -> Int {
        let now = Instant.now()
        return {
            var done = 0
            for order in orders {
                do {
                    try context.read(order)
                    context.now = now
                    done &+= try body()
                } catch { continue }
            }
            return done
        }
    }

    private struct EnricherRules {
        let declarations: RuleDeclarations
        let fields: [ComputedField]

        init(_ settings: SettingsReader) {
            for key in ["application", "input", "output", "dead_letters", "commit"] { _ = settings.tree(key) }
            var declarations = RuleDeclarations(settings)
            fields = declarations.computedFields(settings, "fields")
            self.declarations = declarations
        }
    }

    private static func enricher(_ rules: EnricherRules, _ orders: [UnsafeRawBufferPointer]) -> () -> Int {
        let context = EvaluationContext(rules.declarations.environment)
        for reference in rules.declarations.references { context.set(reference.name, reference.value) }
        let fields = ComputedFields(rules.fields, context: context)
        return loop(orders, context) { try fields.compute().count }
    }
}
