import CLinux
import Glibc

/// One client's connection: bytes gathered into requests, answers sent as the socket takes them.
final class Connection {
    enum Failure: Error {
        /// The client closed, or the network did.
        case closed
        /// The client claims a request of a length that is refused.
        case refused(String)
    }

    let id: ConnectionID
    let descriptor: Int32
    /// A request is with the core, or its answer not yet sent: the next one waits.
    var isBusy = false
    /// What epoll watches for.
    var watchedEvents: UInt32 = 0
    var lastProgressMilliseconds: Int64

    private let maximumRequestBytes: Int
    private var buffer: UnsafeMutableRawPointer?
    private var capacity = 0
    /// The bytes not yet handed out lie between these.
    private var start = 0
    private var end = 0
    private var output: Response?
    private var outputPart = 0
    private var outputOffset = 0

    /// The least room for which the socket is read.
    private static let minimumReadBytes = 32 << 10
    /// A larger buffer is given back when it has been emptied.
    private static let keptBufferBytes = 64 << 10

    init(id: ConnectionID, descriptor: Int32, maximumRequestBytes: Int, now: Int64) {
        self.id = id
        self.descriptor = descriptor
        self.maximumRequestBytes = maximumRequestBytes
        lastProgressMilliseconds = now
    }

    deinit {
        buffer?.deallocate()
        _ = close(descriptor)
    }

    // MARK: - Input

    var bufferedBytes: Int { end - start }

    /// Reads what has come.
    /// - Parameters:
    ///   - scratch: shared memory in which whole requests are handled without being copied.
    ///   - handle: takes one request that lies in `scratch`; called only if nothing was gathered before and no request is
    ///     with the core.
    func receive(scratch: UnsafeMutableRawBufferPointer, handle: (UnsafeRawBufferPointer) -> Void) throws(Failure) {
        if bufferedBytes > 0 || isBusy {
            if capacity - end < Self.minimumReadBytes { reserve(try bytesToExpect()) }
            let count = try receiveSome(
                UnsafeMutableRawBufferPointer(start: buffer.map { $0 + end }, count: capacity - end))
            end += count
            return
        }
        let count = try receiveSome(scratch)
        guard count > 0 else { return }
        let received = UnsafeRawBufferPointer(rebasing: scratch[..<count])
        var consumed = 0
        if let length = try Self.requestLength(received, maximumRequestBytes), received.count - 4 >= length {
            consumed = 4 + length
            handle(UnsafeRawBufferPointer(rebasing: received[4..<consumed]))
        }
        let rest = UnsafeRawBufferPointer(rebasing: received[consumed...])
        guard let source = rest.baseAddress, !rest.isEmpty else { return }
        reserve(rest.count)
        buffer.map { ($0 + end).copyMemory(from: source, byteCount: rest.count) }
        end += rest.count
    }

    /// Hands out the next gathered request, if a whole one is there.
    /// - Returns: whether there was one.
    func takeRequest(_ handle: (UnsafeRawBufferPointer) -> Void) throws(Failure) -> Bool {
        let gathered = UnsafeRawBufferPointer(start: buffer.map { $0 + start }, count: end - start)
        guard let length = try Self.requestLength(gathered, maximumRequestBytes), gathered.count - 4 >= length else {
            return false
        }
        handle(UnsafeRawBufferPointer(rebasing: gathered[4..<4 + length]))
        start += 4 + length
        if start == end {
            start = 0
            end = 0
            if capacity > Self.keptBufferBytes { releaseBuffer() }
        }
        return true
    }

    /// The length a request claims, refused before anything is allocated for it.
    private static func requestLength(
        _ bytes: UnsafeRawBufferPointer, _ maximum: Int
    ) throws(Failure) -> Int? {
        guard bytes.count >= 4 else { return nil }
        let length = Int(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
        guard (0...maximum).contains(length) else { throw .refused("a request of \(length) bytes") }
        return length
    }

    /// How much more to make room for. Memory doubles with what has come; it does not follow what a client claims will.
    private func bytesToExpect() throws(Failure) -> Int {
        let gathered = UnsafeRawBufferPointer(start: buffer.map { $0 + start }, count: end - start)
        let length = try Self.requestLength(gathered, maximumRequestBytes) ?? 0
        return max(Self.minimumReadBytes, min(length + 4 - bufferedBytes, bufferedBytes))
    }

    private func reserve(_ additional: Int) {
        if capacity - end >= additional { return }
        let kept = bufferedBytes
        let needed = kept + additional
        if needed > capacity {
            let larger = UnsafeMutableRawPointer.allocate(byteCount: needed, alignment: 16)
            if let buffer { larger.copyMemory(from: buffer + start, byteCount: kept) }
            buffer?.deallocate()
            buffer = larger
            capacity = needed
        } else if let buffer {
            memmove(buffer, buffer + start, kept)
        }
        start = 0
        end = kept
    }

    private func releaseBuffer() {
        buffer?.deallocate()
        buffer = nil
        capacity = 0
    }

    private func receiveSome(_ target: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        let count = recv(descriptor, target.baseAddress, target.count, 0)
        if count > 0 { return count }
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return 0 }
        throw .closed
    }

    // MARK: - Output

    var hasOutput: Bool { output != nil }

    func begin(_ response: Response) {
        output = response
        outputPart = 0
        outputOffset = 0
    }

    /// Sends as much of the answer as the socket takes.
    /// - Returns: whether all is sent.
    func flush() throws(Failure) -> Bool {
        guard let response = output else { return true }
        while outputPart < response.parts.count {
            guard try sendRest(of: response.parts[outputPart], response) else { return false }
            outputPart += 1
            outputOffset = 0
        }
        output = nil
        return true
    }

    private func sendRest(of part: Response.Part, _ response: Response) throws(Failure) -> Bool {
        let hasMore = outputPart + 1 < response.parts.count
        switch part {
        case .bytes(let range): return try send(UnsafeRawBufferPointer(rebasing: response.buffer.bytes[range]), hasMore)
        case .slice(.memory(let block, let range)):
            return try send(UnsafeRawBufferPointer(rebasing: block.bytes[range]), hasMore)
        case .slice(.file(let file, let range)): return try sendFile(file, range)
        }
    }

    private func send(_ bytes: UnsafeRawBufferPointer, _ hasMore: Bool) throws(Failure) -> Bool {
        let flags = Int32(MSG_NOSIGNAL) | (hasMore ? Int32(MSG_MORE) : 0)
        while outputOffset < bytes.count {
            let sent = Glibc.send(
                descriptor, bytes.baseAddress.map { $0 + outputOffset }, bytes.count - outputOffset, flags)
            guard try isProgress(sent) else { return false }
            outputOffset += max(0, sent)
        }
        return true
    }

    /// The kernel sends stored bytes from the file itself.
    private func sendFile(_ file: OpenFile, _ range: Range<Int>) throws(Failure) -> Bool {
        while outputOffset < range.count {
            var position = off_t(range.lowerBound + outputOffset)
            let sent = sendfile(descriptor, file.descriptor, &position, range.count - outputOffset)
            // The file is shorter than it was: what was promised cannot be sent.
            if sent == 0 { throw .closed }
            guard try isProgress(sent) else { return false }
            outputOffset += max(0, sent)
        }
        return true
    }

    private func isProgress(_ sent: Int) throws(Failure) -> Bool {
        if sent >= 0 || errno == EINTR { return true }
        if errno == EAGAIN { return false }
        throw .closed
    }
}
