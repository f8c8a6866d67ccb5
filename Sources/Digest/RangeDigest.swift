// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

/// The block digests of a range, in order: what a worker reports and the coordinator folds.
///
/// Runs of zero blocks are counted, not listed: their digest is known.
package struct RangeDigest: Sendable, Hashable, Codable {
    /// A run of blocks.
    package enum Run: Sendable, Hashable {
        /// This many blocks of zeros, each 64 KiB.
        case zeroBlocks(UInt64)
        /// The digests of blocks, one behind the other.
        case digests([UInt8])
    }

    /// The runs, in guest order.
    package var runs: [Run]

    /// Names the digests of a range.
    package init(runs: [Run]) { self.runs = runs }
}

extension RangeDigest.Run: Codable {
    private enum Key: String, CodingKey {
        case zero
        case digests
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let count = try container.decodeIfPresent(UInt64.self, forKey: .zero) {
            self = .zeroBlocks(count)
            return
        }
        let data = try container.decode(Data.self, forKey: .digests)
        self = .digests([UInt8](data))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .zeroBlocks(let count): try container.encode(count, forKey: .zero)
        case .digests(let bytes): try container.encode(Data(bytes), forKey: .digests)
        }
    }
}
