import JSON

/// What the rule languages cost per record. Run in a release build on a quiet machine:
/// `swift run -c release rules-benchmark`, with parts of names to choose some, or `--budgets` for the table of BENCHMARKS.md, or
/// `--loop validator 10` for a profiler (``PipelineLoop``).
@main
enum RulesBenchmark {
    static func main() {
        if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "--loop" {
            do { try PipelineLoop.run(CommandLine.arguments[2], passes: Int(CommandLine.arguments[3]) ?? 1) } catch {
                print("\(error)")
            }
            return
        }
        let orders = Orders(count: 2_000)
        if CommandLine.arguments.contains("--budgets") {
            do { try Budgets.run(orders) } catch { print("\(error)") }
            return
        }
        print("orders of \(orders.averageByteCount) bytes on average; thread CPU, medians of 9")
        measureReading(orders)
        measureSchema(orders)
        measurePatterns(orders)
        measureWriting(orders)
        measureNumbers(orders)
        ExpressionsBenchmark(orders, isOpen: false).run()
        ExpressionsBenchmark(orders, isOpen: true).run()
    }

    private static func measureReading(_ orders: Orders) {
        let record = JSONRecord()
        Measurement.report("scan, strict", operations: orders.texts.count) {
            var sum = 0
            for text in orders.texts {
                do { try record.read(text) } catch { sum &+= 1 }
            }
            return sum
        }
        let names = ["order_id", "customer_id", "amount", "currency", "status", "timestamp", "items_count"]
        let slots = names.map { record.declare($0) }
        slots.withUnsafeBufferPointer { slots in
            Measurement.report("scan, strict, seven fields looked up by slot", operations: orders.texts.count) {
                var sum = 0
                for text in orders.texts {
                    do { try record.read(text) } catch { sum &+= 1 }
                    for slot in slots { sum &+= record.field(slot)?.offset ?? 0 }
                }
                return sum
            }
        }
        let items = record.declare("items_count")
        do { try record.read(orders.texts[0]) } catch { return }
        Measurement.report("one field by slot", operations: 100_000) {
            var sum = 0
            for _ in 0..<100_000 { sum &+= record.field(items)?.offset ?? 0 }
            return sum
        }
        Measurement.report("one integer field by slot, parsed", operations: 100_000) {
            var sum: Int64 = 0
            for _ in 0..<100_000 { sum &+= record.field(items)?.int64 ?? 0 }
            return Int(sum)
        }
    }

    private static func measureWriting(_ orders: Orders) {
        let record = JSONRecord()
        let splice = JSONSplice(record)
        let tax = splice.field("tax")
        let region = splice.field("region")
        let status = splice.field("status")
        let output = OutputBuffer()
        func measure(_ name: String, _ changes: () -> Void) {
            do { try record.read(orders.texts[0]) } catch { return }
            Measurement.report(name, operations: 20_000) {
                var sum = 0
                for _ in 0..<20_000 {
                    output.removeAll()
                    splice.begin()
                    changes()
                    splice.finish(into: output)
                    sum &+= output.count
                }
                return sum
            }
        }
        measure("splice: copy") {}
        measure("splice: two fields appended") {
            splice.set(tax)
            splice.values.append("10.72" as StaticString)
            splice.set(region)
            splice.values.append("\"eu\"" as StaticString)
        }
        measure("splice: one replaced, one appended") {
            splice.set(tax)
            splice.values.append("10.72" as StaticString)
            splice.set(status)
            splice.values.append("\"shipped\"" as StaticString)
        }
    }

    private static func measureNumbers(_ orders: Orders) {
        let record = JSONRecord()
        let amount = record.declare("amount")
        let timestamp = record.declare("timestamp")
        var amounts: [UnsafeRawBufferPointer] = []
        var times: [UnsafeRawBufferPointer] = []
        for text in orders.texts {
            do { try record.read(text) } catch { continue }
            if let bytes = record.field(amount)?.string?.utf8 { amounts.append(bytes) }
            if let bytes = record.field(timestamp)?.string?.utf8 { times.append(bytes) }
        }
        guard let rate = Decimal("0.0825") else { return }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)
        defer { memory.deallocate() }
        Measurement.report("decimal: parse", operations: amounts.count) {
            var sum = 0
            for bytes in amounts { sum &+= Int(truncatingIfNeeded: Decimal(bytes: bytes)?.mantissa ?? 0) }
            return sum
        }
        Measurement.report("decimal: parse, times rate, rounded", operations: amounts.count) {
            var sum = 0
            for bytes in amounts {
                guard let amount = Decimal(bytes: bytes),
                    let product = try? amount.multiplied(by: rate).rounded(scale: 2)
                else { continue }
                sum &+= Int(truncatingIfNeeded: product.mantissa)
            }
            return sum
        }
        Measurement.report("decimal: parse, times rate, rounded, printed", operations: amounts.count) {
            var sum = 0
            for bytes in amounts {
                guard let amount = Decimal(bytes: bytes),
                    let product = try? amount.multiplied(by: rate).rounded(scale: 2)
                else { continue }
                sum &+= product.write(into: memory)
            }
            return sum
        }
        Measurement.report("instant: parse RFC 3339", operations: times.count) {
            var sum = 0
            for bytes in times { sum &+= Int(Instant(rfc3339: bytes)?.millisecondsSinceEpoch ?? 0) }
            return sum
        }
        let now = Instant.now()
        Measurement.report("instant: print", operations: 10_000) {
            var sum = 0
            for _ in 0..<10_000 { sum &+= now.write(into: memory, fraction: .exactly(3)) }
            return sum
        }
    }
}
