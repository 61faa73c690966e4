import JSON

/// Orders as the pipeline's producers write them: about 200 bytes, seven fields, always in the same order.
struct Orders {
    let texts: [UnsafeRawBufferPointer]
    let averageByteCount: Int

    init(count: Int) {
        var state: UInt64 = 42
        func below(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var texts: [UnsafeRawBufferPointer] = []
        let currencies = ["USD", "EUR", "GBP", "CAD", "AUD", "JPY"]
        let statuses = ["confirmed", "pending_payment", "shipped", "delivered", "cancelled"]
        let regions = ["US", "EU", "UK", "CA", "AU"]
        for number in 0..<count {
            let output = OutputBuffer()
            let writer = JSONWriter(output)
            writer.beginObject()
            writer.key("order_id")
            writer.string("ORD-20250113-\(100_000_000_000 + UInt64(number))")
            writer.key("customer_id")
            writer.string("CUST-\(regions[Int(below(5))])-\(100_000 + below(900_000))")
            writer.key("amount")
            let mantissa = Int128([99, 999, 9_999, 99_999][Int(below(4))] * below(100) + below(99) + 1)
            writer.string(Decimal(mantissa: mantissa, scale: 2)?.description ?? "1.00")
            writer.key("currency")
            writer.string(currencies[Int(below(6))])
            writer.key("status")
            writer.string(statuses[Int(below(5))])
            writer.key("timestamp")
            writer.instant(
                Instant(millisecondsSinceEpoch: 1_736_780_400_000 + Int64(number) * 10), fraction: .exactly(3))
            writer.key("items_count")
            writer.integer(Int64(1 + below(9)))
            writer.endObject()
            // Kept for the life of the process.
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: output.count, alignment: 1)
            copy.copyMemory(from: output.bytes)
            texts.append(UnsafeRawBufferPointer(copy))
        }
        self.texts = texts
        averageByteCount = texts.reduce(0) { $0 + $1.count } / max(1, count)
    }
}
