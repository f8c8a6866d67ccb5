// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// An encoding of descriptors other than UTF-8, in which each byte is a character.
enum VMDKTextEncoding: String, CaseIterable {
    case windows1252 = "windows-1252"
    case latin1 = "iso-8859-1"

    /// The characters of windows-1252 for the bytes from 0x80 to 0x9F; what has none stays as it is.
    private static let upper: [UInt32] = [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
        0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
        0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
        0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
    ]

    /// The encoding that `name` names, in upper or lower case; nil where it is not known.
    init?(_ name: String) {
        self.init(rawValue: name.lowercased())
    }

    /// The text in `bytes`.
    func decode(_ bytes: ArraySlice<UInt8>) -> String {
        var text = String.UnicodeScalarView()
        for byte in bytes {
            let isSpecial = self == .windows1252 && (0x80...0x9F).contains(byte)
            let code = isSpecial ? Self.upper[Int(byte) - 0x80] : UInt32(byte)
            text.append(Unicode.Scalar(code) ?? "\u{FFFD}")
        }
        return String(text)
    }
}
