// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// Writes a JSON object field by field. What is nil is left out.
struct JSONWriter {
    /// What was written.
    private(set) var text: [UInt8] = []
    private var needsComma = false

    init(capacity: Int) { text.reserveCapacity(capacity) }

    mutating func begin() {
        text.append(UInt8(ascii: "{"))
        needsComma = false
    }

    mutating func end() {
        text.append(UInt8(ascii: "}"))
        needsComma = true
    }

    /// The name of a field whose value is written next.
    mutating func name(_ name: String) {
        if needsComma { text.append(UInt8(ascii: ",")) }
        string(name)
        text.append(UInt8(ascii: ":"))
        needsComma = true
    }

    mutating func field(_ name: String, _ value: (some BinaryInteger)?) {
        guard let value else { return }
        self.name(name)
        text.append(contentsOf: String(value).utf8)
    }

    mutating func field(_ name: String, _ value: String?) {
        guard let value else { return }
        self.name(name)
        string(value)
    }

    mutating func field(_ name: String, base64 value: Data?) {
        guard let value else { return }
        self.name(name)
        text.append(UInt8(ascii: "\""))
        text.append(contentsOf: value.base64EncodedData())
        text.append(UInt8(ascii: "\""))
    }

    private mutating func string(_ value: String) {
        text.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text.append(UInt8(ascii: "\\"))
                text.append(byte)
            case 0..<0x20: text.append(contentsOf: Self.escaped(byte))
            default: text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }

    private static func escaped(_ byte: UInt8) -> String.UTF8View {
        let digits = String(byte, radix: 16)
        return ("\\u00" + (digits.utf8.count < 2 ? "0" : "") + digits).utf8
    }
}
