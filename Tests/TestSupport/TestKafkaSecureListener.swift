import Foundation

/// A listener of a test's Kafka that asks for SASL (SCRAM-SHA-512 or PLAIN) over TLS, with one user and a certificate authority of
/// its own.
public final class TestKafkaSecureListener {
    public let user = "orders"
    public let password = UUID().uuidString
    public var bootstrapServers: String { "127.0.0.1:\(port)" }
    /// What clients check the broker's certificate with, in PEM, while the cluster is there.
    public private(set) var certificateAuthority = ""
    let name = "SECURE"
    let port: UInt16

    public init() throws {
        guard let port = try freePorts(1).first else { throw TestKafkaError("no free port") }
        self.port = port
    }

    /// The user is part of the log from its beginning, as there is nobody who could be asked to add one.
    var formatArguments: [String] { ["--add-scram", "SCRAM-SHA-512=[name=\(user),password=\(password)]"] }

    /// Makes the certificates in a folder, and answers the broker's properties.
    func properties(folder: URL) throws -> [String: String] {
        let folder = folder.appendingPathComponent("certificates")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
        certificateAuthority = path("authority.pem")
        try Self.openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tests", "-keyout",
            path("authority.key"), "-out", certificateAuthority)
        try Self.openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", path("broker.key"), "-out",
            path("broker.request"))
        try "subjectAltName=IP:127.0.0.1\n".write(toFile: path("names"), atomically: true, encoding: .utf8)
        try Self.openssl(
            "x509", "-req", "-days", "2", "-in", path("broker.request"), "-CA", certificateAuthority, "-CAkey",
            path("authority.key"), "-CAcreateserial", "-extfile", path("names"), "-out", path("broker.pem"))
        let both = try ["broker.key", "broker.pem"].map { try String(contentsOfFile: path($0), encoding: .utf8) }
        try both.joined().write(toFile: path("keystore.pem"), atomically: true, encoding: .utf8)
        return [
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,\(name):SASL_SSL",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            "listener.name.\(name.lowercased()).plain.sasl.jaas.config":
                "org.apache.kafka.common.security.plain.PlainLoginModule required user_\(user)=\"\(password)\";",
            "listener.name.\(name.lowercased()).scram-sha-512.sasl.jaas.config":
                "org.apache.kafka.common.security.scram.ScramLoginModule required;",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": path("keystore.pem"),
        ]
    }

    private static func openssl(_ arguments: String...) throws {
        let process = Process()
        let said = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = said
        try process.run()
        let text = said.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        if process.terminationStatus != 0 {
            throw TestKafkaError("openssl \(arguments[0]) failed:\n\(String(decoding: text, as: UTF8.self))")
        }
    }
}
