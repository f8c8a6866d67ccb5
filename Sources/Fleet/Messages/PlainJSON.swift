// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// Reads JSON as ``JSONWriter`` writes it: without spaces, strings of plain ASCII without escapes, whole numbers. Of all else it says nil,
/// and whoever asked takes the parser that knows everything.
struct PlainJSON {
    private let text: [UInt8]
    private var place = 0

    init(_ text: [UInt8]) { self.text = text }

    /// Whether everything was read.
    var isAtEnd: Bool { place == text.count }

    /// Reads an object; `take` reads the value of each field and says whether it could. Says whether all went well.
    mutating func object(_ take: (_ json: inout PlainJSON, _ name: String) -> Bool) -> Bool {
        guard accept(UInt8(ascii: "{")) else { return false }
        while true {
            guard let name = string(), accept(UInt8(ascii: ":")), take(&self, name) else {
                return false
            }
            if accept(UInt8(ascii: ",")) { continue }
            return accept(UInt8(ascii: "}"))
        }
    }

    mutating func string() -> String? {
        span().map { String(decoding: text[$0], as: UTF8.self) }
    }

    mutating func base64() -> Data? {
        span().flatMap { Data(base64Encoded: Data(text[$0])) }
    }

    mutating func number<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value? {
        let start = place
        var value: UInt64 = 0
        while place < text.count, (48...57).contains(text[place]) {
            let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isOver) = tens.addingReportingOverflow(UInt64(text[place] - 48))
            guard !isTooLarge, !isOver else { return nil }
            value = sum
            place += 1
        }
        let hasZeroInFront = place > start + 1 && text[start] == 48
        return place > start && !hasZeroInFront ? Value(exactly: value) : nil
    }

    /// Where the content of a string is.
    private mutating func span() -> Range<Int>? {
        guard accept(UInt8(ascii: "\"")) else { return nil }
        let start = place
        while place < text.count {
            let byte = text[place]
            if byte == UInt8(ascii: "\"") {
                place += 1
                return start..<place - 1
            }
            guard (0x20..<0x7F).contains(byte), byte != UInt8(ascii: "\\") else { return nil }
            place += 1
        }
        return nil
    }

    private mutating func accept(_ byte: UInt8) -> Bool {
        guard place < text.count, text[place] == byte else { return false }
        place += 1
        return true
    }
}
