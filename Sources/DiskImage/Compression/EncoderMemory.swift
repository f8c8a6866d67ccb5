// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// How much memory an encoder takes, about, in bytes: what libdeflate 1.14, ISA-L 2.30 and libzstd 1.5.4 were measured to allocate. It bounds how
/// many encode at a time.
enum EncoderMemory {
    /// Of one method for deflate: from libdeflate's level 10 on it searches for the best parse.
    static func deflate(_ method: DeflateMethod) -> Int {
        switch method {
        case .igzip: 416 << 10
        case .libdeflate(let level): level < 10 ? 672 << 10 : 9 << 20
        }
    }

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
