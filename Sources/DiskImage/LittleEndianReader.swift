// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Reads integers from a copy of some metadata, least significant byte first, and makes the errors about them.
struct LittleEndianReader {
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

    /// The integer at `offset`. The caller has checked that it is there.
    func load<I: FixedWidthInteger & UnsignedInteger>(_ offset: Int, as type: I.Type = I.self) -> I
    {
        var value: I = 0
        for index in (offset..<offset + MemoryLayout<I>.size).reversed() {
            value = value << 8 | I(bytes[index])
        }
        return value
    }

    /// An error about the field at `offset`.
    func error(_ kind: DrayError.Kind, _ message: String, _ offset: Int) -> DrayError {
        DrayError(kind, message, file: file, offset: base + UInt64(offset))
    }
}

extension [UInt8] {
    /// Overwrites the bytes at `offset` with `value`, least significant byte first.
    mutating func storeLittleEndian<I: FixedWidthInteger & UnsignedInteger>(
        _ value: I,
        at offset: Int
    ) {
        for index in 0..<I.bitWidth / 8 {
            self[offset + index] = UInt8(truncatingIfNeeded: value >> I(index * 8))
        }
    }
}
