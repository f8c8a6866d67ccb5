// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// The L1 table of an image, by pages of 8 KiB: which of them name L2 tables is known, of those a few are kept, and the others are read when
/// they are asked for. A table may have 32 MiB, and a chain hundreds of them.
final class QCOW2L1Table: Sendable {
    /// How many entries name an L2 table.
    let presentCount: Int
    /// How many entries cover the disk.
    let count: Int

    private static let pageBits: UInt32 = 13
    private static let pageEntries = 1 << (Int(pageBits) - 3)
    /// How many pages are read at a time when the image is opened.
    private static let pagesAtOnce = 32
    /// What is kept of pages, in bytes: all entries of a disk of 4 TiB with the usual clusters.
    private static let capacity = 64 << 10
    private static let pagesKept = capacity >> Int(pageBits)

    private let what: String
    private let offset: UInt64
    private let metadata: StorageMetadata
    private let isPagePresent: [Bool]
    private let pages = TableCache(capacity: capacity, tableBits: pageBits)

    /// The `count` entries at `offset`, called `what` in errors. Reads them once.
    init(_ what: String, at offset: UInt64, count: Int, _ metadata: StorageMetadata)
        throws(DrayError)
    {
        self.what = what
        self.offset = offset
        self.count = count
        self.metadata = metadata
        var present = 0
        var isPagePresent: [Bool] = []
        let step = Self.pageEntries * Self.pagesAtOnce
        for first in stride(from: 0, to: count, by: step) {
            let place = offset + UInt64(first) * 8
            let words = try metadata.words(what, at: place, count: min(step, count - first))
            for start in stride(from: 0, to: words.count, by: Self.pageEntries) {
                let page = words[start..<min(start + Self.pageEntries, words.count)]
                let used = page.count { $0 & ~QCOW2.copied != 0 }
                present += used
                isPagePresent.append(used > 0)
                // Of a table that is no larger than what is kept nothing is read again.
                let number = (first + start) / Self.pageEntries
                if used > 0, number < Self.pagesKept {
                    pages.insert(Array(page), at: Self.key(number))
                }
            }
        }
        presentCount = present
        self.isPagePresent = isPagePresent
        MemoryBudget.process.keep(Self.capacity)
    }

    deinit { MemoryBudget.process.keep(-Self.capacity) }

    /// Entry `index` as stored; 0 on pages that name no table.
    func entry(_ index: Int) throws(DrayError) -> UInt64 {
        let (page, place) = index.quotientAndRemainder(dividingBy: Self.pageEntries)
        return isPagePresent[page] ? try words(page)[place] : 0
    }

    /// The first entry from `index` on, but before `end`, that names a table; or `end`.
    func nextPresent(from index: Int, before end: Int) throws(DrayError) -> Int {
        var next = index
        while next < end {
            let page = next / Self.pageEntries
            let behind = min(end, (page + 1) * Self.pageEntries)
            if isPagePresent[page] {
                let words = try words(page)
                while next < behind {
                    if words[next % Self.pageEntries] & ~QCOW2.copied != 0 { return next }
                    next += 1
                }
            }
            next = behind
        }
        return end
    }

    private func words(_ page: Int) throws(DrayError) -> [UInt64] {
        if let words = pages.find(Self.key(page)) { return words }
        let first = page * Self.pageEntries
        let words = try metadata.words(
            what,
            at: offset + UInt64(first) * 8,
            count: min(Self.pageEntries, count - first)
        )
        pages.insert(words, at: Self.key(page))
        return words
    }

    /// What a page is called in the cache, where no table is at 0.
    private static func key(_ page: Int) -> UInt64 { UInt64(page + 1) << UInt64(pageBits) }
}
