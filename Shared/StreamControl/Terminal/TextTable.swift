/// Rows under headings, in columns as wide as what they hold.
struct TextTable {
    struct Column {
        let heading: String
        let isRightAligned: Bool

        static func left(_ heading: String) -> Column { Column(heading: heading, isRightAligned: false) }
        static func right(_ heading: String) -> Column { Column(heading: heading, isRightAligned: true) }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// - Parameter cells: one for each column.
    mutating func add(_ cells: [String]) {
        rows.append(cells)
    }

    var text: String {
        let all = [columns.map(\.heading)] + rows
        let widths = columns.indices.map { column in
            all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return all.map { row in
            var line = ""
            for (index, cell) in row.enumerated() where index < columns.count {
                let space = String(repeating: " ", count: max(0, widths[index] - cell.count))
                line += (index == 0 ? "" : "  ") + (columns[index].isRightAligned ? space + cell : cell + space)
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
