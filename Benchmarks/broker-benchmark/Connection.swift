import EmbeddedBroker
import Glibc

struct BenchmarkError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A blocking connection on which requests go out and answers come back in their order.
final class Connection {
    private let descriptor: Int32
    private var answer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw BenchmarkError("cannot connect to 127.0.0.1:\(port): errno \(errno)") }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
    }

    deinit {
        answer.deallocate()
        _ = close(descriptor)
    }

    /// A request with its length in front, in a version that is not flexible.
    static func request(_ key: Int16, _ version: Int16, _ body: (inout WireWriter) -> Void) -> [UInt8] {
        var writer = WireWriter(flexible: false)
        writer.int32(0)
        writer.int16(key)
        writer.int16(version)
        writer.int32(0)
        writer.string("broker-benchmark")
        body(&writer)
        var bytes = writer.written
        let length = UInt32(bytes.count - 4)
        for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * index)) }
        return bytes
    }

    func send(_ request: [UInt8]) throws {
        try request.withUnsafeBytes { bytes in
            var sent = 0
            while sent < bytes.count {
                let count = Glibc.send(
                    descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
                guard count > 0 else { throw BenchmarkError("the connection ended while a request was sent") }
                sent += count
            }
        }
    }

    /// Reads the next answer; valid until the one after it.
    func receive<Answer>(_ read: (inout WireReader) throws -> Answer) throws -> Answer {
        try fill(4)
        let length = Int(UInt32(bigEndian: answer.loadUnaligned(as: UInt32.self)))
        if length > answer.count {
            answer.deallocate()
            answer = .allocate(byteCount: length, alignment: 16)
        }
        try fill(length)
        var reader = WireReader(UnsafeRawBufferPointer(rebasing: answer[..<length]), flexible: false)
        _ = try reader.int32()
        return try read(&reader)
    }

    private func fill(_ count: Int) throws {
        var received = 0
        while received < count {
            let more = recv(descriptor, answer.baseAddress.map { $0 + received }, count - received, 0)
            guard more > 0 else { throw BenchmarkError("the connection ended while an answer was awaited") }
            received += more
        }
    }

    func ask<Answer>(_ request: [UInt8], _ read: (inout WireReader) throws -> Answer) throws -> Answer {
        try send(request)
        return try receive(read)
    }
}
