import Foundation
import Synchronization

/// Stands between clients and a broker on 127.0.0.1, and can lose what they say to each other: a broker that falls silent in the
/// middle of something. Clients that come by it stay with it, whatever address the broker names.
public final class BrokerRelay: Sendable {
    public let port: UInt16
    public var bootstrapServers: String { "127.0.0.1:\(port)" }

    private let broker: UInt16
    private let listener: Int32
    private let lost = Mutex(Lost())

    private struct Lost {
        var requests: Set<Int16> = []
        var answers: Set<Int16> = []
        var left = 0
        var count = 0

        mutating func take(_ kinds: KeyPath<Lost, Set<Int16>>, _ kind: Int16) -> Bool {
            guard left > 0, self[keyPath: kinds].contains(kind) else { return false }
            left -= 1
            count += 1
            return true
        }
    }

    public init(to broker: UInt16) throws {
        self.broker = broker
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listens = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard listens else { throw TestKafkaError("no port to listen on: errno \(errno)") }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let self else { return }
                self.serve(client)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// From now on requests of these kinds (numbers of the protocol) do not reach the broker, and no answer to these reaches a
    /// client, `times` in all.
    public func lose(requests: Set<Int16> = [], answersTo answers: Set<Int16> = [], times: Int = .max) {
        lost.withLock {
            $0.requests = requests
            $0.answers = answers
            $0.left = times
        }
    }

    /// How many requests and answers were lost.
    public var lostCount: Int { lost.withLock { $0.count } }

    private func serve(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = broker.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        // Numbers of the requests whose answers are to be lost.
        let marked = Marked()
        let ends = Ends(client, server)
        if connected != 0 { ends.shut() }
        Thread.detachNewThread { [self] in
            while let request = receive(client) {
                guard request.count >= 8 else { break }
                let kind = Int16(request[0]) << 8 | Int16(request[1])
                if lost.withLock({ $0.take(\.requests, kind) }) { continue }
                if lost.withLock({ $0.take(\.answers, kind) }) {
                    marked.numbers.withLock { _ = $0.insert(Array(request[4..<8])) }
                }
                guard send(request, to: server) else { break }
            }
            ends.shut()
        }
        let names = (Self.place(broker), Self.place(port))
        Thread.detachNewThread { [self] in
            while var answer = receive(server) {
                if marked.numbers.withLock({ $0.remove(Array(answer.prefix(4))) }) != nil { continue }
                while let place = answer.firstRange(of: names.0) { answer.replaceSubrange(place, with: names.1) }
                guard send(answer, to: client) else { break }
            }
            ends.shut()
        }
    }

    private final class Marked: Sendable {
        let numbers = Mutex<Set<[UInt8]>>([])
    }

    /// Both are closed when both directions have ended.
    private final class Ends: Sendable {
        private let client: Int32
        private let server: Int32

        init(_ client: Int32, _ server: Int32) { (self.client, self.server) = (client, server) }

        func shut() {
            shutdown(client, Int32(SHUT_RDWR))
            shutdown(server, Int32(SHUT_RDWR))
        }

        deinit {
            close(client)
            close(server)
        }
    }

    /// As answers name a broker.
    private static func place(_ port: UInt16) -> [UInt8] {
        Array("127.0.0.1".utf8) + [0, 0, UInt8(port >> 8), UInt8(port & 0xff)]
    }

    private func receive(_ socket: Int32) -> [UInt8]? {
        guard let head = receive(socket, 4) else { return nil }
        return receive(socket, head.reduce(0) { $0 << 8 | Int($1) })
    }

    private func receive(_ socket: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let isWhole = bytes.withUnsafeMutableBytes {
            recv(socket, $0.baseAddress, count, Int32(MSG_WAITALL)) == count
        }
        return isWhole ? bytes : nil
    }

    private func send(_ frame: [UInt8], to socket: Int32) -> Bool {
        let count = UInt32(frame.count)
        var rest = ([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + frame)[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }
}
