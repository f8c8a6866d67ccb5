// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The links of a Markdown document to files of the repository.
enum DocumentLinks {
    /// Each link that is not to another site or to a heading of the same document: its line (from 1), and the path from the
    /// repository's root.
    static func all(in document: SourceFile) -> [(line: Int, path: String)] {
        var links: [(line: Int, path: String)] = []
        var isExample = false
        for (index, line) in document.lines.enumerated() {
            if line.hasPrefix("```") { isExample.toggle() }
            guard !isExample else { continue }
            for piece in line.split(separator: "](").dropFirst() {
                guard let end = piece.firstIndex(of: ")") else { continue }
                let target = piece[..<end].prefix { $0 != "#" && $0 != " " }
                guard !target.isEmpty, !target.contains(":") else { continue }
                links.append((index + 1, resolve(String(target), from: document.path)))
            }
        }
        return links
    }

    private static func resolve(_ target: String, from document: String) -> String {
        var parts = target.hasPrefix("/") ? [] : document.split(separator: "/").dropLast()[...]
        for part in target.split(separator: "/") {
            switch part {
            case ".": continue
            case "..": parts = parts.dropLast()
            default: parts.append(part)
            }
        }
        return parts.joined(separator: "/")
    }
}
