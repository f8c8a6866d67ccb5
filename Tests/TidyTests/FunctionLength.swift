// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Measures functions by counting braces.
enum FunctionLength {
    /// The line (from 1) on which each function starts, and how many lines it has to its closing brace.
    static func all(in file: SourceFile) -> [(line: Int, length: Int)] {
        file.code.indices.compactMap { start in
            guard isDeclaration(file.code[start]), let end = end(of: start, in: file.code) else {
                return nil
            }
            return (start + 1, end - start + 1)
        }
    }

    private static func isDeclaration(_ line: String) -> Bool {
        for word in line.split(whereSeparator: { $0 == " " }) {
            let name = word.prefix { $0.isLetter }
            switch name {
            case "func", "init", "deinit", "subscript": return word.first?.isLetter == true
            case "private", "fileprivate", "package", "public", "internal", "static", "final",
                "mutating", "nonmutating", "convenience", "override", "consuming", "borrowing",
                "nonisolated", "required", "async":
                continue
            default:
                guard word.hasPrefix("@") else { return false }
            }
        }
        return false
    }

    /// The line of the brace that closes the first one after the parameters; nil for what has no body.
    private static func end(of start: Int, in code: [String]) -> Int? {
        var parentheses = 0
        var braces = 0
        for line in start..<code.count {
            if line > start && braces == 0 && parentheses == 0 && isDeclaration(code[line]) {
                return nil
            }
            for character in code[line].utf8 {
                switch character {
                case UInt8(ascii: "("), UInt8(ascii: "["): parentheses += 1
                case UInt8(ascii: ")"), UInt8(ascii: "]"): parentheses -= 1
                case UInt8(ascii: "{") where parentheses == 0 || braces > 0: braces += 1
                case UInt8(ascii: "}") where braces == 0 && parentheses == 0: return nil
                case UInt8(ascii: "}") where braces > 0:
                    braces -= 1
                    if braces == 0 { return line }
                default: break
                }
            }
        }
        return nil
    }
}
