// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// The header of a member of a tar archive (POSIX.1-1988, ustar interchange format).
struct TarHeader {
    /// Bytes.
    static let size = 512

    /// The type flag: `0` is a regular file.
    let kind: UInt8
    /// The name as the header has it.
    let name: String
    private let sizeField: ArraySlice<UInt8>

    /// Reads a header; nil where its checksum is not its bytes'.
    init?(_ block: [UInt8]) {
        guard block.count == Self.size, let stored = Self.octal(block[148..<156]) else {
            return nil
        }
        // The checksum is that of the header with spaces in its own place; some counted signed bytes.
        let space = 8 * UInt64(UInt8(ascii: " "))
        let others = block[..<148] + block[156...]
        let sum = others.reduce(space) { $0 + UInt64($1) }
        let signed = others.reduce(Int64(space)) { $0 + Int64(Int8(bitPattern: $1)) }
        guard stored == sum || Int64(stored) == signed else { return nil }
        kind = block[156]
        sizeField = block[124..<136]
        let isPOSIX = block[257..<263].elementsEqual("ustar\0".utf8)
        let prefix = isPOSIX ? Self.text(block[345..<500]) : ""
        name = (prefix.isEmpty ? "" : prefix + "/") + Self.text(block[0..<100])
    }

    /// Whether `head`, the first bytes of a file, is a tar header with its magic.
    static func matches(_ head: [UInt8]) -> Bool {
        head.count == size && head[257..<262].elementsEqual("ustar".utf8) && Self(head) != nil
    }

    /// The size of the content in bytes: octal digits, or where the first bit is set, a number of 95 bits, most significant byte first (GNU
    /// tar). Fails with `corrupt`, with the header's place in `file`, where it is none or negative.
    func size(_ file: String, at offset: UInt64) throws(DrayError) -> UInt64 {
        if let first = sizeField.first, first & 0x80 != 0 {
            let high = sizeField.dropLast(8)
            let low = sizeField.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            if first == 0x80, high.dropFirst().allSatisfy({ $0 == 0 }), low >> 63 == 0 {
                return low
            }
        } else if let size = Self.octal(sizeField) {
            return size
        }
        throw DrayError(
            .corrupt,
            "the size of the member \(name) is no number, or far too large",
            file: file,
            offset: offset
        )
    }

    /// Octal digits, with spaces in front and a space or a zero byte behind; nothing is 0.
    private static func octal(_ field: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var rest = field.drop { $0 == UInt8(ascii: " ") }
        while let digit = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) {
            value = value << 3 | UInt64(digit - UInt8(ascii: "0"))
            rest = rest.dropFirst()
        }
        return rest.allSatisfy { $0 == 0 || $0 == UInt8(ascii: " ") } ? value : nil
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
