import JSON

/// XCTest brings Foundation's along.
typealias Decimal = JSON.Decimal
