import Foundation
import StreamKitService
import XCTest

final class StateDirectoryTests: XCTestCase {
    private func refusal(_ path: String, application: String = "orders") -> String? {
        do {
            _ = try StateDirectory(path: path, application: application)
            return nil
        } catch {
            return error.description
        }
    }

    func testItIsCreatedAndKeepsItsName() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/a/b"
        let name = try StateDirectory(path: path, application: "orders").instanceName
        XCTAssertEqual(name.count, 16)
        XCTAssertEqual(try StateDirectory(path: path, application: "orders").instanceName, name)
        XCTAssertNotEqual(try StateDirectory(path: folder.path + "/c", application: "orders").instanceName, name)
    }

    func testASecondInstanceIsRefusedByProcessId() throws {
        let folder = try TemporaryFolder()
        let first = try StateDirectory(path: folder.path, application: "orders")
        XCTAssertEqual(
            refusal(folder.path),
            "\(folder.path) is in use by process \(getpid()); every instance needs a STATE_DIR of its own")
        withExtendedLifetime(first) {}
    }

    func testTheLockOfAKilledProcessIsFree() throws {
        if ChildProcess.isRunning {
            let directory = try StateDirectory(path: ChildProcess.argument, application: "orders")
            ChildProcess.say(directory.instanceName)
            withExtendedLifetime(directory) { while true { pause() } }
        }
        let folder = try TemporaryFolder()
        let child = try ChildProcess(
            test: "StateDirectoryTests/testTheLockOfAKilledProcessIsFree", argument: folder.path)
        let name = child.line()
        XCTAssertTrue(refusal(folder.path)?.contains("in use by process \(child.processIdentifier);") ?? false)
        child.send(SIGKILL)
        XCTAssertEqual(child.waitForEnd(), -SIGKILL)
        XCTAssertEqual(try StateDirectory(path: folder.path, application: "orders").instanceName, name)
    }

    func testAnotherApplicationsDirectoryIsRefused() throws {
        let folder = try TemporaryFolder()
        _ = try StateDirectory(path: folder.path, application: "orders")
        XCTAssertEqual(
            refusal(folder.path, application: "payments"),
            "\(folder.path) belongs to the application orders, not payments; give each a STATE_DIR of its own")
    }

    func testADamagedOrNewerIdentityIsRefused() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/identity"
        try "version 2\napplication orders\ninstance x\n".write(toFile: file, atomically: true, encoding: .utf8)
        XCTAssertEqual(refusal(folder.path), "\(folder.path) has format 2; this program knows 1 and older")
        for text in ["", "version 1\n", "version x\napplication orders\ninstance y\n", "\u{0}\u{0}"] {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            XCTAssertTrue(refusal(folder.path)?.contains("is damaged") ?? false, text.debugDescription)
        }
        XCTAssertEqual(try String(contentsOfFile: file, encoding: .utf8), "\u{0}\u{0}")
    }

    func testFilesAreReplacedWhole() throws {
        let folder = try TemporaryFolder()
        let directory = try StateDirectory(path: folder.path, application: "orders")
        XCTAssertNil(try directory.read("offsets"))
        try directory.write("offsets", [1, 2, 3])
        try directory.write("offsets", [4])
        XCTAssertEqual(try directory.read("offsets"), [4])
        try directory.write("offsets", [])
        XCTAssertEqual(try directory.read("offsets"), [])
        // What a crash before the renaming leaves behind is not the file.
        try "torn".write(toFile: folder.path + "/offsets.new", atomically: false, encoding: .utf8)
        XCTAssertEqual(try directory.read("offsets"), [])
        try directory.write("offsets", [5])
        XCTAssertEqual(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted(), ["identity", "lock", "offsets"])
    }

    func testAPathThatIsNoFolderIsRefused() throws {
        let folder = try TemporaryFolder()
        let file = folder.path + "/file"
        try "x".write(toFile: file, atomically: true, encoding: .utf8)
        XCTAssertEqual(refusal(file), "cannot use \(file): Not a directory")
        XCTAssertNotNil(refusal(file + "/below"))
        XCTAssertNotNil(refusal("/proc/nothing/here"))
    }
}
