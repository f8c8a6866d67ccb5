// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Rows under a head, in columns as wide as their widest cell; a cell that is very long moves only its own row.
struct TextTable {
    private static let widest = 64
    private let rows: [[String]]

    init(_ head: [String], _ rows: [[String]]) { self.rows = [head] + rows }

    /// The lines, each with its end. What is in the last column is not padded.
    var text: String {
        let widths = rows[0].indices.map { column in
            min(rows.map { $0[column].count }.max() ?? 0, Self.widest)
        }
        return rows.map { row in
            var line = ""
            for (cell, width) in zip(row, widths) {
                line += cell + String(repeating: " ", count: max(0, width - cell.count) + 2)
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
