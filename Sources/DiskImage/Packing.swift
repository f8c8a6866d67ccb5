// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// The rules of a packed target: a range is encoded cluster by cluster in memory, then its bytes get one contiguous place, in guest order.
package struct Packing: Sendable, Hashable {
    /// The target's clusters, and what becomes of zeros. The granule is the cluster.
    package let rules: Allocation
    /// The most bytes that a cluster takes, encoded.
    package let largestStored: Int
    /// The lengths of ranges are multiples of this, in bytes: of 4 MiB, and at least the usual size.
    package let rangeUnit: UInt64
    /// How many bytes follow the streams of a range that has any; such a target stores no cluster as it is.
    package let trailerLength: Int
    /// Whether places may begin anywhere behind those before, as O_DIRECT likes it, or must follow without a gap.
    package let allowsGaps: Bool
    /// How much memory an encoder takes, about, in bytes.
    package let encoderMemory: Int
    /// What encodes, with its version and level: workers that differ in it make different plans.
    package let encoding: String

    /// Names the rules.
    package init(
        rules: Allocation,
        largestStored: Int,
        rangeUnit: UInt64 = 4 << 20,
        trailerLength: Int = 0,
        allowsGaps: Bool = true,
        encoderMemory: Int,
        encoding: String
    ) {
        precondition(rules.granule == rules.clusterSize, "packed targets have whole clusters")
        self.rules = rules
        self.largestStored = largestStored
        self.rangeUnit = rangeUnit
        self.trailerLength = trailerLength
        self.allowsGaps = allowsGaps
        self.encoderMemory = encoderMemory
        self.encoding = encoding
    }
}

/// Encodes the clusters of a packed target. For one thread at a time.
package protocol ClusterEncoder: AnyObject {
    /// A range begins: how its clusters are encoded must depend on nothing before it.
    func begin()

    /// Encodes the cluster of guest bytes at `guest`, which is `input` of `source`, to `target` from `start`: at most ``Packing/largestStored`` bytes.
    /// Returns how many; nil where the cluster is to be stored as it is, at a multiple of its size. Behind the disk's end a cluster
    /// is filled with zeros.
    func encode(
        _ guest: GuestOffset,
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        at start: Int
    ) -> Int?
}

extension ClusterEncoder {
    package func begin() {}
}

/// The lengths of a range's stored clusters, in guest order: a few bytes each, because a disk has millions.
package struct StoredLengths: Sendable, Hashable, Codable {
    /// The lengths, each in groups of seven bits from the lowest, all but its last with the top bit set. 0 is a cluster that is stored as it is.
    package private(set) var bytes: [UInt8] = []

    /// No lengths.
    package init() {}

    /// The lengths that a message holds. Fails with `corrupt` where they are malformed or longer than 2^28 bytes.
    package init(bytes: [UInt8]) throws(DrayError) {
        var groups = 0
        for byte in bytes {
            groups += 1
            guard groups <= 4 else { throw Self.malformed }
            if byte & 0x80 == 0 { groups = 0 }
        }
        guard groups == 0 else { throw Self.malformed }
        self.bytes = bytes
    }

    /// Appends the length of a cluster's stream; nil for one that is stored as it is.
    package mutating func append(_ length: Int?) {
        var rest = length ?? 0
        precondition(rest >= 0 && rest < 1 << 28, "a stored cluster is not that long")
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Reads them one by one.
    package func makeIterator() -> Iterator { Iterator(bytes: bytes) }

    /// Gives one length after the other; 0 for a cluster that is stored as it is.
    package struct Iterator: IteratorProtocol {
        let bytes: [UInt8]
        private var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        package mutating func next() -> UInt64? {
            guard position < bytes.count else { return nil }
            var length: UInt64 = 0
            var shift: UInt64 = 0
            while true {
                let byte = bytes[position]
                position += 1
                length |= UInt64(byte & 0x7F) << shift
                if byte & 0x80 == 0 { return length }
                shift += 7
            }
        }
    }

    private static let malformed = DrayError(
        .corrupt,
        "the message's field \"stored\" is malformed"
    )
}
