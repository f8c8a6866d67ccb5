// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Walks the start tags of an XML document (XML 1.0, 3.1), without their namespace prefixes.
struct TagScanner {
    /// A start tag, or an empty element's.
    struct Tag {
        /// The element's local name.
        let name: String
        /// Its attributes by local name.
        let attributes: [String: String]
    }

    private var rest: ArraySlice<UInt8>

    /// Begins at the start of `text`.
    init(_ text: ArraySlice<UInt8>) { rest = text }

    /// The next start tag; nil behind the last.
    mutating func next() -> Tag? {
        while let open = rest.firstIndex(of: UInt8(ascii: "<")) {
            rest = rest[(open + 1)...]
            if rest.starts(with: "!--".utf8) {
                skip(behind: "-->")
            } else if rest.starts(with: "![CDATA[".utf8) {
                skip(behind: "]]>")
            } else if let first = rest.first, !"!?/".utf8.contains(first) {
                return tag()
            }
        }
        return nil
    }

    private mutating func skip(behind mark: String) {
        let bytes = Array(mark.utf8)
        while !rest.isEmpty, !rest.starts(with: bytes) { rest = rest.dropFirst() }
        rest = rest.dropFirst(bytes.count)
    }

    private mutating func tag() -> Tag {
        let name = takeName()
        var attributes: [String: String] = [:]
        while true {
            skipSpace()
            guard let byte = rest.first, byte != UInt8(ascii: ">") else { break }
            guard byte != UInt8(ascii: "/") else {
                rest = rest.dropFirst()
                continue
            }
            let key = takeName()
            skipSpace()
            guard !key.isEmpty, rest.first == UInt8(ascii: "=") else { break }
            rest = rest.dropFirst()
            skipSpace()
            guard let quote = rest.first, "\"'".utf8.contains(quote),
                let end = rest.dropFirst().firstIndex(of: quote)
            else { break }
            attributes[key] = Self.unescaped(rest[(rest.startIndex + 1)..<end])
            rest = rest[(end + 1)...]
        }
        return Tag(name: name, attributes: attributes)
    }

    private mutating func skipSpace() { rest = rest.drop { " \t\r\n".utf8.contains($0) } }

    /// A name without its prefix.
    private mutating func takeName() -> String {
        let name = rest.prefix { !" \t\r\n=/><\"'".utf8.contains($0) }
        rest = rest[name.endIndex...]
        let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
        return String(decoding: local, as: UTF8.self)
    }

    /// The text with the five entities that XML has by itself (4.6).
    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        var text = String(decoding: bytes, as: UTF8.self)
        let entities = [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&"),
        ]
        for (entity, character) in entities {
            text = text.replacing(entity, with: character)
        }
        return text
    }
}
