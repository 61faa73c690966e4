import Expressions
import JSON
import XCTest

/// Tables of expressions: what each yields is written as an expression too, or as a part of the error's message.
func evaluate(_ source: String, in environment: Environment = Environment()) throws -> Value {
    let expression = try environment.compile(source)
    return try expression.evaluate(in: EvaluationContext(environment))
}

/// Same type and same value; NaN is NaN here.
func isSame(_ left: Value, _ right: Value) -> Bool {
    let output = OutputBuffer()
    let writer = JSONWriter(output)
    left.writeTyped(to: writer)
    let first = String(decoding: output.bytes, as: UTF8.self)
    output.removeAll()
    right.writeTyped(to: writer)
    return first == String(decoding: output.bytes, as: UTF8.self)
}

func assertYields(
    _ rows: [(expression: String, value: String)], in environment: Environment = Environment(),
    file: StaticString = #filePath, line: UInt = #line
) {
    for (source, wanted) in rows {
        do {
            let found = try evaluate(source, in: environment)
            let expected = try evaluate(wanted)
            XCTAssert(isSame(found, expected), "\(source) is \(found), not \(wanted)", file: file, line: line)
        } catch {
            XCTFail("\(source): \(error)", file: file, line: line)
        }
    }
}

/// Compiles, but has no value.
func assertFails(
    _ rows: [(expression: String, message: String)], in environment: Environment = Environment(),
    file: StaticString = #filePath, line: UInt = #line
) {
    for (source, message) in rows {
        do {
            let expression = try environment.compile(source)
            do {
                let found = try expression.evaluate(in: EvaluationContext(environment))
                XCTFail("\(source) is \(found)", file: file, line: line)
            } catch {
                XCTAssert(error.description.contains(message), "\(source): \(error)", file: file, line: line)
                XCTAssertNotNil(error.location, "\(source): \(error)", file: file, line: line)
            }
        } catch {
            XCTFail("\(source) does not compile: \(error)", file: file, line: line)
        }
    }
}

func assertRefused(
    _ rows: [(expression: String, message: String)], in environment: Environment = Environment(),
    file: StaticString = #filePath, line: UInt = #line
) {
    for (source, message) in rows {
        do {
            _ = try environment.compile(source)
            XCTFail("\(source) compiles", file: file, line: line)
        } catch {
            XCTAssert(error.description.contains(message), "\(source): \(error)", file: file, line: line)
        }
    }
}
