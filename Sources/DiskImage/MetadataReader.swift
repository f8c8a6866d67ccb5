// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Reads integers from a copy of some metadata and makes the errors about them.
struct MetadataReader {
    let bytes: [UInt8]
    /// The file that the bytes are from, for messages.
    let file: String?
    /// Where in the file the first byte is from, for messages.
    let base: UInt64

    init(_ bytes: [UInt8], file: String?, base: UInt64 = 0) {
        self.bytes = bytes
        self.file = file
        self.base = base
    }

    /// The integer at `offset`, most significant byte first. The caller has checked that it is there.
    func load<I: FixedWidthInteger & UnsignedInteger>(_ offset: Int, as type: I.Type = I.self) -> I
    {
        var value: I = 0
        for index in offset..<offset + MemoryLayout<I>.size {
            value = value << 8 | I(bytes[index])
        }
        return value
    }

    /// The integer at `offset`, least significant byte first. The caller has checked that it is there.
    func little<I: FixedWidthInteger & UnsignedInteger>(_ offset: Int, as type: I.Type = I.self)
        -> I
    {
        let value: I = load(offset)
        return value.byteSwapped
    }

    /// An error about a field at `offset` that breaks the specification.
    func corrupt(_ message: String, _ offset: Int) -> DrayError {
        DrayError(.corrupt, message, file: file, offset: base + UInt64(offset))
    }

    /// An error about a field at `offset` that asks for what is not known.
    func unsupported(_ message: String, _ offset: Int) -> DrayError {
        DrayError(.unsupported, message, file: file, offset: base + UInt64(offset))
    }
}
