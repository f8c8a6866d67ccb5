// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A rule of the house that a file can break.
struct TidyRule: Sendable, CustomStringConvertible {
    let description: String
    /// The lines (from 1) that break the rule.
    let violations: @Sendable (SourceFile) -> [Int]

    static let all = [
        header, fileLength, functionLength, leftovers, foundation, printing, forced, targets,
        unexplained,
    ]

    static let header = TidyRule(description: "a file begins with the header") { file in
        // The manifest's first line is the tools version.
        let start = file.path == "Package.swift" ? 1 : 0
        let isThere =
            file.lines.dropFirst(start).first == "// SPDX-FileCopyrightText: 2026 The Dray authors"
            && file.lines.dropFirst(start + 1).first == "// SPDX-License-Identifier: Apache-2.0"
        return isThere ? [] : [1]
    }

    static let fileLength = TidyRule(description: "a file has at most 500 lines") { file in
        file.lines.count > 501 ? [file.lines.count] : []
    }

    static let functionLength = TidyRule(description: "a function has at most 70 lines") { file in
        guard file.isSwift else { return [] }
        return FunctionLength.all(in: file).filter { $0.length > 70 }.map(\.line)
    }

    static let leftovers = TidyRule(description: "nothing is left to do") { file in
        // Put together here, so that this file does not have the words.
        let words = ["TO" + "DO", "FIX" + "ME"]
        return lines(file.lines) { line in words.contains { line.contains($0) } }
    }

    static let foundation = TidyRule(description: "only Foundation's essentials are imported") {
        file in
        lines(file.code) { importedModule($0) == "Foundation" }
    }

    static let printing = TidyRule(description: "only the command prints") { file in
        guard file.path.hasPrefix("Sources/"), file.target != "dray", file.isSwift else {
            return []
        }
        return lines(file.code) { hasWord("print(", in: $0) || hasWord("debugPrint(", in: $0) }
    }

    static let forced = TidyRule(description: "nothing is forced") { file in
        guard file.isSwift else { return [] }
        let unreachable = "fatalError(" + "\"unreachable"
        return lines(file.code) { hasWord("try!", in: $0) || hasWord("as!", in: $0) }
            + lines(file.lines) { $0.contains(unreachable) }
    }

    /// Which targets may import which C module.
    static let cModules: [String: Set<String>] = [
        "CGetopt": ["CommandTable"], "CLinux": ["Storage", "dray"], "CZlib": ["DiskImage"],
        "CDeflate": ["DiskImage"], "CISAL": ["DiskImage"], "CZstd": ["DiskImage"],
        "CLzma": ["DiskImage"], "CCrypto": ["Digest"],
        "CSHA256": ["Digest"], "CSQLite": ["TaskLog"], "CRdKafka": ["KafkaLog"],
    ]

    static let targets = TidyRule(description: "a C module stays in its target") { file in
        lines(file.code) { line in
            guard let module = importedModule(line), let allowed = cModules[module] else {
                return false
            }
            return !allowed.contains(file.target ?? "")
        }
    }

    static let unexplained = TidyRule(description: "what the compiler cannot check is explained") {
        file in
        guard file.isSwift else { return [] }
        return file.code.indices.filter { index in
            let line = file.code[index]
            guard line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)")
            else { return false }
            return !isExplained(index, in: file)
        }.map { $0 + 1 }
    }

    /// Whether a comment stands above the declaration (its documentation does not count) or first in its body.
    private static func isExplained(_ index: Int, in file: SourceFile) -> Bool {
        let above = index > 0 ? file.lines[index - 1].trimmed : ""
        if above.hasPrefix("//") && !above.hasPrefix("///") { return true }
        let body = file.code[index...].firstIndex { $0.contains("{") } ?? index
        return body + 1 < file.lines.count && file.lines[body + 1].trimmed.hasPrefix("//")
    }

    private static func lines(_ lines: [String], where isWrong: (String) -> Bool) -> [Int] {
        lines.indices.filter { isWrong(lines[$0]) }.map { $0 + 1 }
    }

    private static func importedModule(_ line: String) -> String? {
        let words = line.split(separator: " ")
        guard let index = words.firstIndex(of: "import"), index + 1 < words.count, index < 3 else {
            return nil
        }
        return words.last?.split(separator: ".").first.map(String.init)
    }

    private static func hasWord(_ word: String, in line: String) -> Bool {
        var rest = line[...]
        while let range = rest.firstRange(of: word) {
            let before = rest[..<range.lowerBound].last
            let isStart = before.map { !$0.isLetter && !$0.isNumber && $0 != "." } ?? true
            if isStart { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }
}

extension String {
    /// The line without the spaces around it.
    fileprivate var trimmed: Substring {
        var line = self[...].drop { $0 == " " }
        while line.last == " " { line.removeLast() }
        return line
    }
}
