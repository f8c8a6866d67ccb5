// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import DiskImage

/// JSON as qemu-img writes it: four blanks a level, keys in the order given, ASCII only.
enum JSONText {
    /// The value over several lines, without a line end behind it.
    static func pretty(_ value: FormatInformation.Value, level: Int = 0) -> String {
        let inner = String(repeating: "    ", count: level + 1)
        let outer = String(repeating: "    ", count: level)
        switch value {
        case .text(let text): return quoted(text)
        case .number(let number): return String(number)
        case .flag(let flag): return flag ? "true" : "false"
        case .list(let items):
            let lines = items.map { inner + pretty($0, level: level + 1) }
            return lines.isEmpty ? "[\n\(outer)]" : "[\n" + joined(lines) + "\n\(outer)]"
        case .object(let fields):
            let lines = fields.map {
                inner + quoted($0.key) + ": " + pretty($0.value, level: level + 1)
            }
            return lines.isEmpty ? "{\n\(outer)}" : "{\n" + joined(lines) + "\n\(outer)}"
        }
    }

    /// The value on one line.
    static func compact(_ value: FormatInformation.Value) -> String {
        switch value {
        case .list(let items): "[" + items.map(compact).joined(separator: ", ") + "]"
        case .object(let fields):
            "{"
                + fields.map { quoted($0.key) + ": " + compact($0.value) }.joined(separator: ", ")
                + "}"
        default: pretty(value)
        }
    }

    private static func joined(_ lines: [String]) -> String { lines.joined(separator: ",\n") }

    /// The text in quotes; what is not printable ASCII is escaped, beyond 16 bits as a surrogate pair.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: out += "\\\""
            case 0x5C: out += "\\\\"
            case 0x08: out += "\\b"
            case 0x0C: out += "\\f"
            case 0x0A: out += "\\n"
            case 0x0D: out += "\\r"
            case 0x09: out += "\\t"
            case 0x20..<0x7F: out.unicodeScalars.append(UnicodeScalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16, uppercase: true)
                out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return out + "\""
    }
}
