/// The known word that a misspelt one was most likely meant to be.
enum Suggestion {
    /// - Returns: the nearest of `candidates` if few enough letters differ to be a slip, or one is the other cut short; `nil`
    ///   otherwise.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let allowed = max(1, word.count / 3)
        var best: (word: String, distance: Int)?
        for candidate in candidates.sorted() {
            let (a, b) = (word.lowercased(), candidate.lowercased())
            let isCutShort = min(a.count, b.count) >= 3 && (a.hasPrefix(b) || b.hasPrefix(a))
            let distance = isCutShort ? 1 : editDistance(Array(a), Array(b))
            if distance <= allowed, distance < best?.distance ?? Int.max { best = (candidate, distance) }
        }
        return best?.word
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
    private static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
        guard !a.isEmpty, !b.isEmpty, a.count <= 64, b.count <= 64 else { return a == b ? 0 : max(a.count, b.count) }
        var rows = [Array(0...b.count)]
        for i in 1...a.count {
            var row = [i]
            for j in 1...b.count {
                let isSame = a[i - 1] == b[j - 1]
                var cost = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (isSame ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, rows[i - 2][j - 2] + 1) }
                row.append(cost)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
