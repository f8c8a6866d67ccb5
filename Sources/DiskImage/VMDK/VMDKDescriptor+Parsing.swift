// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

extension VMDKDescriptor {
    /// Parses the descriptor in `bytes`, which lie at `base` of `file`; what follows the first zero byte is padding.
    ///
    /// Every line is understood or refused: `corrupt` where it breaks the format, `unsupported` where it asks for what is not
    /// known or for a device; the message has the line's number, the error's offset is the line's.
    package init(_ bytes: [UInt8], file: String, base: UInt64 = 0) throws(DrayError) {
        let mark = Self.markLength(bytes)
        var parser = VMDKDescriptorParser(file: file, base: base + UInt64(mark))
        self = try parser.parse(bytes.dropFirst(mark).prefix { $0 != 0 })
    }

    /// Whether these first bytes of a storage are those of a descriptor: comments and blank lines, then `version=`, as qemu has it,
    /// or the first line that VMware writes.
    package static func matches(_ bytes: [UInt8]) -> Bool {
        let bytes = bytes.dropFirst(markLength(bytes))
        let title = "# Disk DescriptorFile".utf8
        if bytes.starts(with: title) { return true }
        for line in bytes.split(separator: 0x0A) {
            let text = line.last == 0x0D ? line.dropLast() : line
            if text.first == UInt8(ascii: "#") || text.allSatisfy({ $0 == 0x20 }) { continue }
            return ["version=1", "version=2", "version=3"].contains { text.elementsEqual($0.utf8) }
        }
        return false
    }

    /// How many bytes of a byte order mark, which editors put there, are before the text.
    private static func markLength(_ bytes: [UInt8]) -> Int {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return bytes.starts(with: mark) ? mark.count : 0
    }
}
