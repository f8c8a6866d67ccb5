// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// How much memory an encoder takes, about, in bytes: what libdeflate 1.14 and libzstd 1.5.4 were measured to allocate. It bounds how many
/// encode at a time.
enum EncoderMemory {
    /// Of zlib at this level: from 10 on it searches for the best parse.
    static func deflate(level: Int) -> Int { level < 10 ? 1 << 20 : 9 << 20 }

    /// Of zstd at this level for clusters of so many bytes: its tables grow with both.
    static func zstd(level: Int, clusterSize: Int) -> Int {
        let perByte =
            switch level {
            case ..<4: 1
            case ..<8: 4
            case ..<11: 7
            case ..<14: 13
            default: 17
            }
        return max(2 << 20, perByte * clusterSize)
    }
}
