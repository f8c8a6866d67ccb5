// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

extension CommandSpec {
    /// What `--help` prints: usage, description, options, examples and exit codes, at most 80 columns wide where words allow it.
    package var helpText: String {
        var sections = ["Usage: \(usage)"]
        sections += description.map { wrapped($0, indent: 0) }
        if name.isEmpty {
            let rows = Program.commands.map { ($0.name, $0.summary) }
            sections.append("Commands:\n" + Self.table(rows))
        }
        let rows = visibleOptions.map { ($0.spellings.joined(separator: ", "), $0.help) }
        sections.append("Options:\n" + Self.table(rows))
        if !examples.isEmpty {
            let lines = examples.map { "  # \($0.purpose)\n  \($0.line)" }
            sections.append("Examples:\n" + lines.joined(separator: "\n\n"))
        }
        if !exitCodes.isEmpty {
            let rows = exitCodes.map { (String($0.code), $0.meaning) }
            sections.append("Exit codes:\n" + Self.table(rows))
        }
        return sections.joined(separator: "\n\n") + "\n"
    }

    /// Two columns: a text beside its name, or below it where the name is long.
    private static func table(_ rows: [(String, String)]) -> String {
        let widest = rows.map(\.0.count).filter { $0 <= 26 }.max() ?? 0
        let column = widest + 4
        let lines = rows.map { name, text in
            let body = wrapped(text, indent: column)
            let start = "  " + name
            guard start.count + 2 <= column else { return start + "\n" + body }
            return start + body.dropFirst(start.count)
        }
        return lines.joined(separator: "\n")
    }
}

/// The words of `text` in lines of at most 80 columns that begin with `indent` spaces.
func wrapped(_ text: String, indent: Int) -> String {
    let margin = String(repeating: " ", count: indent)
    var lines: [String] = []
    var line = margin
    for word in text.split(separator: " ") {
        let isFresh = line.count == margin.count
        if !isFresh, line.count + 1 + word.count > 80 {
            lines.append(line)
            line = margin + word
        } else {
            line += (isFresh ? "" : " ") + word
        }
    }
    lines.append(line)
    return lines.joined(separator: "\n")
}
