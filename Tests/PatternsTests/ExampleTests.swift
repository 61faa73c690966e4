import Patterns
import XCTest

/// What the documentation comments show, as an outsider would write it.
final class ExampleTests: XCTestCase {
    func testSearching() throws {
        let pattern = try Pattern(ecmaScript: "^ORD-[0-9]{8}$")
        XCTAssertTrue(pattern.matches("ORD-00001234"))
        XCTAssertFalse(pattern.matches("ORD-1"))
        XCTAssertThrowsError(try Pattern(ecmaScript: "(?=a)b"))
    }
}
