// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CISAL

/// The memory of igzip's state, at an address that has no part in the streams.
///
/// Version 2.30 hashes bits 16 to 47 of the state's address where it should hash the third position of what it compresses (its file
/// igzip_icf_body_h1_gr_bt.asm). So that position goes to an arbitrary bucket, and where that is the one of the first, second or third position the
/// stream is another one: once in ten thousand clusters. The state has several places to lie at, and is put where this does not happen.
@safe
struct IgzipState: ~Copyable {
    /// So many that four of them lie in one aligned group of eight. Those fall on different buckets, as a bucket is a linear function of the
    /// address's bits; and three buckets are to be kept away from.
    private static let places = 7
    /// The least distance that changes bit 16.
    private static let distance = 1 << 16

    private let memory: UnsafeMutableRawPointer
    /// What the library hashes of each place's address.
    private let hashes: [UInt32]

    /// Traps where the machine has no memory left.
    init() {
        let count = unsafe MemoryLayout<isal_zstream>.stride + (Self.places - 1) * Self.distance
        unsafe memory = .allocate(byteCount: count, alignment: 64)
        let first = UInt(bitPattern: unsafe memory) >> 16
        hashes = (0..<Self.places).map {
            Self.hash(UInt32(truncatingIfNeeded: first + UInt($0)))
        }
    }

    deinit { unsafe memory.deallocate() }

    /// Where the state may lie for this content of at least six bytes. What it was used for before is lost.
    func place(for content: UnsafeRawBufferPointer) -> UnsafeMutablePointer<isal_zstream> {
        let buckets = Self.buckets(content.count)
        let taken = (0..<3).map { position in
            let word = unsafe content.loadUnaligned(fromByteOffset: position, as: UInt32.self)
            return Self.hash(UInt32(littleEndian: word)) % buckets
        }
        guard let place = hashes.firstIndex(where: { !taken.contains($0 % buckets) }) else {
            preconditionFailure("one of four buckets is none of three")
        }
        return unsafe (memory + place * Self.distance).assumingMemoryBound(to: isal_zstream.self)
    }

    /// How many buckets the library takes for so many bytes.
    private static func buckets(_ count: Int) -> UInt32 {
        count < 1 << 14 ? 1 << UInt32(Int.bitWidth - count.leadingZeroBitCount) : 1 << 15
    }

    /// The library's hash of four bytes: their CRC-32C, without the usual inversions.
    private static func hash(_ word: UInt32) -> UInt32 {
        (0..<32).reduce(word) { sum, _ in sum >> 1 ^ (sum & 1 == 0 ? 0 : 0x82F6_3B78) }
    }
}
