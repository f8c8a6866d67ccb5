// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The parts of a descriptor's line, found by its bytes: Swift's characters would join a quote with a combining mark.
enum VMDKLine {
    /// The text without blanks and tabs at its ends.
    static func trimmed(_ text: Substring) -> Substring {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        var bytes = text.utf8.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes = bytes.dropLast() }
        return Substring(bytes)
    }

    /// The words of a line, which blanks and tabs divide; what stands in quotes is one word, with them. Nil where quotes do not
    /// close, or touch another word.
    static func words(_ text: Substring) -> [Substring]? {
        let quote = UInt8(ascii: "\"")
        var words: [Substring] = []
        var rest = trimmed(text)
        while let first = rest.utf8.first {
            let length: Int
            if first == quote {
                let inner = rest.utf8.dropFirst().prefix { $0 != quote }.count
                guard inner + 2 <= rest.utf8.count else { return nil }
                length = inner + 2
            } else {
                length = rest.utf8.prefix { $0 != 0x20 && $0 != 0x09 }.count
            }
            let word = Substring(rest.utf8.prefix(length))
            let behind = Substring(rest.utf8.dropFirst(length))
            let next = behind.utf8.first ?? 0x20
            guard next == 0x20 || next == 0x09, first == quote || !word.utf8.contains(quote)
            else { return nil }
            words.append(word)
            rest = trimmed(behind)
        }
        return words
    }

    /// The number that `text` is in decimal digits alone.
    static func number(_ text: Substring) -> UInt64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return UInt64(text)
    }
}
