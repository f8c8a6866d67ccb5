// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What a disk keeps of its maps. All extents share it: what it takes does not grow with their number.
///
/// Each extent numbers its tables, and the pages of its directory, from a number on that no other extent has.
final class VMDKCaches: Sendable {
    /// A cache with the size class of its tables.
    struct Cache: Sendable {
        let cache: TableCache
        let tableBits: UInt64

        init(capacity: Int, tableBits: UInt64) {
            cache = TableCache(capacity: capacity, tableBits: UInt32(tableBits))
            self.tableBits = tableBits
        }

        /// The table with `number`, if it is here.
        func find(_ number: UInt64) -> [UInt64]? { cache.find(number << tableBits) }

        /// Keeps the table with `number`.
        func insert(_ words: [UInt64], _ number: UInt64) {
            cache.insert(words, at: number << tableBits)
        }
    }

    /// Pages of grain directories: 32 KiB.
    let pages: Cache
    private let small: Cache
    private let large: Cache
    /// Where it is noted which places of the files are tables'.
    let tableRoom = VMDKTableRoom()
    private let allotment = Allotment(of: .tables)
    private let next = Mutex<UInt64>(1)
    private let windows = Mutex<[Int: StreamWindows<DeflateDecoder>]>([:])

    /// Caches that are empty. A disk's grain tables are of one size, as a rule.
    init() {
        pages = Cache(capacity: allotment.bytes / 4, tableBits: 15)
        small = Cache(capacity: allotment.bytes, tableBits: 12)
        large = Cache(capacity: allotment.bytes, tableBits: 15)
    }

    /// The cache for grain tables of `entries` places: 512, as hosted extents have them, or 4096 at most.
    func tables(entries: UInt64) -> Cache { entries * 8 <= 1 << small.tableBits ? small : large }

    /// The windows for compressed grains of `grainSize` bytes. There are twelve sizes at most.
    func windows(grainSize: Int) -> StreamWindows<DeflateDecoder> {
        windows.withLock { windows in
            if let known = windows[grainSize] { return known }
            let made = StreamWindows(longest: grainSize * 2 + VMDK.grainMarkerLength) {
                DeflateDecoder(.zlib)
            }
            windows[grainSize] = made
            return made
        }
    }

    /// The first of `count` numbers that nobody has. At most 2^26 are asked for at a time, and a disk has 1024 extents: they
    /// stay below 2^37.
    func reserve(_ count: UInt64) -> UInt64 {
        next.withLock { next in
            defer { next += count }
            return next
        }
    }
}
