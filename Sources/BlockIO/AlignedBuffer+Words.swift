// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

extension AlignedBuffer {
    /// The 64-bit integers stored most significant byte first in `range`, whose length is a multiple of 8: a table at once,
    /// because loading word by word costs a check each.
    package func bigEndianWords(_ range: Range<Int>) -> [UInt64] {
        precondition(range.count % 8 == 0, "a table has whole words")
        return unsafe withBytes(range) { bytes in
            unsafe [UInt64](unsafeUninitializedCapacity: bytes.count / 8) { words, count in
                for index in 0..<bytes.count / 8 {
                    let stored = unsafe bytes.loadUnaligned(
                        fromByteOffset: index * 8,
                        as: UInt64.self
                    )
                    unsafe words.initializeElement(at: index, to: UInt64(bigEndian: stored))
                }
                count = bytes.count / 8
            }
        }
    }

    /// The integers of `width` bytes (4 or 8) stored least significant byte first in `range`, whose length is a multiple of that.
    package func littleEndianWords(_ range: Range<Int>, width: Int) -> [UInt64] {
        precondition(width == 4 || width == 8, "words have four or eight bytes")
        precondition(range.count % width == 0, "a table has whole words")
        return unsafe withBytes(range) { bytes in
            unsafe [UInt64](unsafeUninitializedCapacity: bytes.count / width) { words, count in
                for index in 0..<bytes.count / width {
                    let word =
                        width == 4
                        ? UInt64(
                            UInt32(
                                littleEndian: unsafe bytes.loadUnaligned(
                                    fromByteOffset: index * 4,
                                    as: UInt32.self
                                )
                            )
                        )
                        : UInt64(
                            littleEndian: unsafe bytes.loadUnaligned(
                                fromByteOffset: index * 8,
                                as: UInt64.self
                            )
                        )
                    unsafe words.initializeElement(at: index, to: word)
                }
                count = bytes.count / width
            }
        }
    }
}
