// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage
internal import Synchronization

/// The grain directory of a sparse extent, read page by page: where each grain table is.
///
/// Where the extent has a redundant directory, an entry that is missing or damaged is taken from there.
final class VMDKDirectory: Sendable {
    /// What there is of a redundant directory.
    enum Spare {
        /// The header tells of none, or it is the one that is read.
        case none
        /// It starts here, in bytes.
        case sound(UInt64)
        /// It would not lie in the file.
        case outside
        /// What is there names hardly a table that is in the file.
        case damaged
    }

    /// The entries of a page: 16 KiB of a hosted directory.
    static let pageEntries: UInt64 = 4096

    /// How many entries there are.
    let count: UInt64
    /// Where the directory starts, in bytes.
    let start: UInt64
    /// Whether this is the redundant directory, because the other is not in the file.
    let isSpare: Bool
    /// The directory that helps where this one is damaged.
    let spare: Spare
    private let rules: VMDKEntryRules
    private let tableSize: UInt64
    /// The header, and the descriptor where it is embedded.
    private let heads: [VMDKMetadataPlaces.Part]
    /// The directory, and the redundant one.
    let parts: [VMDKMetadataPlaces.Part]
    private let metadata: StorageMetadata
    private let pages: VMDKCaches.Cache
    /// The number of the first page in the cache.
    private let firstPage: UInt64
    private let counted = Mutex<(pages: Set<UInt64>, tables: UInt64)>(([], 0))

    /// A directory at `start` whose tables have `tableSize` bytes, and are not in `heads`. `count` entries must lie in the file, there or in the redundant
    /// directory: fails with `corrupt` otherwise, and with `unsupported` where there are more than qemu allows.
    init(
        _ metadata: StorageMetadata,
        rules: VMDKEntryRules,
        at start: UInt64,
        redundant: UInt64?,
        count: UInt64,
        tableSize: UInt64,
        heads: [VMDKMetadataPlaces.Part],
        caches: VMDKCaches
    ) throws(DrayError) {
        guard count <= VMDK.mostDirectoryEntries else {
            throw DrayError(
                .unsupported,
                "the grain directory has \(count) entries, more than \(VMDK.mostDirectoryEntries)",
                file: metadata.storage.name,
                offset: start
            )
        }
        pages = caches.pages
        firstPage = caches.reserve(count.dividedRoundingUp(by: Self.pageEntries))
        self.metadata = metadata
        self.rules = rules
        self.count = count
        self.tableSize = tableSize
        self.heads = heads
        let size = count * rules.entrySize
        let other = redundant.flatMap { Self.isUsable($0, size, metadata.length) ? $0 : nil }
        let isSound =
            try other.map { start throws(DrayError) in
                try Self.isDirectory(start, count, metadata, rules, tableSize)
            } ?? false
        if let other, isSound, !Self.isUsable(start, size, metadata.length) {
            self.start = other
            isSpare = true
            spare = .none
        } else {
            guard start > 0 || count == 0 else {
                throw DrayError(
                    .corrupt,
                    "the grain directory is at offset 0, where the header is",
                    file: metadata.storage.name,
                    offset: 0
                )
            }
            try metadata.check("the grain directory", at: start, size: size)
            self.start = start
            isSpare = false
            if let other {
                spare = isSound ? .sound(other) : .damaged
            } else {
                spare = redundant == nil ? .none : .outside
            }
        }
        parts = [
            VMDKMetadataPlaces.Part("the grain directory", at: self.start, size: size),
            Self.start(of: spare).flatMap {
                VMDKMetadataPlaces.Part("the redundant grain directory", at: $0, size: size)
            },
        ].compactMap { $0 }
    }

    private var redundant: UInt64? { Self.start(of: spare) }

    private static func start(of spare: Spare) -> UInt64? {
        if case .sound(let start) = spare { start } else { nil }
    }

    private static func isUsable(_ start: UInt64, _ size: UInt64, _ length: UInt64) -> Bool {
        guard start > 0, let end = start.adding(size) else { return false }
        return end <= length
    }

    /// Where table `index` is: an offset in bytes, or a special place of ``VMDKEntryRules``.
    func place(_ index: UInt64) throws(DrayError) -> UInt64 {
        let page = try page(index / Self.pageEntries)
        return page[Int(index % Self.pageEntries)]
    }

    /// Where the redundant directory has table `index`; nil where there is none, or not in the file.
    func redundantPlace(_ index: UInt64) throws(DrayError) -> UInt64? {
        guard let redundant else { return nil }
        let entry = try entries(at: redundant + index * rules.entrySize, 1)[0]
        let place = checked(entry)
        return place > VMDKEntryRules.invalid ? place : nil
    }

    /// Where the redundant directory has table `index`, also where that directory is the one that is read.
    func sparePlace(_ index: UInt64) throws(DrayError) -> UInt64? {
        guard isSpare else { return try redundantPlace(index) }
        let place = try place(index)
        return place > VMDKEntryRules.invalid ? place : nil
    }

    /// Whether the table that ``place(_:)`` tells is a redundant one, because the directory's entry is damaged, or the directory is.
    func isReplaced(_ index: UInt64) throws(DrayError) -> Bool {
        if isSpare { return true }
        guard try isFromSpare(index) else { return false }
        return try checked(stored(index)) == VMDKEntryRules.invalid
    }

    /// The first index from `index` on whose table is there, or `end` at most: passes over absent tables a page at a time.
    func firstPresent(from index: UInt64, to end: UInt64) throws(DrayError) -> UInt64 {
        var index = index
        while index < end {
            let page = try page(index / Self.pageEntries)
            let base = index.roundedDown(to: Self.pageEntries)
            let rest = page[Int(index - base)...]
            if let found = rest.firstIndex(where: { $0 != VMDKEntryRules.unallocated }) {
                return min(base + UInt64(found), end)
            }
            index = base + UInt64(page.count)
        }
        return end
    }

    /// How many tables from `index` on lie one behind the other, `stride` bytes apart, at most `limit`.
    func contiguous(from index: UInt64, stride: UInt64, limit: UInt64) throws(DrayError) -> UInt64 {
        let page = try page(index / Self.pageEntries)
        let first = Int(index % Self.pageEntries)
        var found: UInt64 = 1
        while found < limit, first + Int(found) < page.count,
            page[first + Int(found)] == page[first] + found * stride
        {
            found += 1
        }
        return found
    }

    /// The entry as stored, for messages.
    func stored(_ index: UInt64) throws(DrayError) -> UInt64 {
        try entries(at: start + index * rules.entrySize, 1)[0]
    }

    /// The entries that are damaged, but not in the redundant directory, at most 1000.
    func damagedEntries() throws(DrayError) -> [UInt64] {
        guard redundant != nil else { return [] }
        var damaged: [UInt64] = []
        for first in stride(from: 0, to: count, by: Int(Self.pageEntries))
        where damaged.count < 1000 {
            let size = Int(min(Self.pageEntries, count - first))
            let places = try entries(at: start + first * rules.entrySize, size).map(checked)
            let used = try page(first / Self.pageEntries)
            for index in places.indices where places[index] != used[index] {
                damaged.append(first + UInt64(index))
            }
        }
        return damaged
    }

    private func page(_ number: UInt64) throws(DrayError) -> [UInt64] {
        if let known = pages.find(firstPage + number) { return known }
        let first = number * Self.pageEntries
        let size = Int(min(Self.pageEntries, count - first))
        var places = try entries(at: start + first * rules.entrySize, size).map(checked)
        if redundant != nil, places.contains(where: { $0 <= VMDKEntryRules.invalid }) {
            let others = try redundantPlaces(from: first)
            for index in places.indices where places[index] <= VMDKEntryRules.invalid {
                if others[index] > VMDKEntryRules.invalid { places[index] = others[index] }
            }
        }
        try refuseSharing(places, number)
        pages.insert(places, firstPage + number)
        return places
    }

    /// The place that `entry` names, if the table there begins in the file, and not in other metadata: a descriptor's padding would read
    /// as a table of no grains.
    private func checked(_ entry: UInt64) -> UInt64 {
        let place = rules.table(entry, tableSize: tableSize)
        guard place > VMDKEntryRules.invalid else { return place }
        return place < metadata.length && part(at: place) == nil ? place : VMDKEntryRules.invalid
    }

    /// What the byte at `place`, which lies in the file, belongs to, if not to a table.
    func part(at place: UInt64) -> String? {
        for part in heads where part.overlaps(place, 1) { return part.name }
        for part in parts where part.overlaps(place, 1) { return part.name }
        return nil
    }

    /// Where all tables lie, both those that are read and the redundant ones. Fails with `unsupported` where they are too scattered.
    func tablePlaces() throws(DrayError) -> VMDKTablePlaces {
        var noted = VMDKTablePlaces(tableSize: tableSize, base: rules.firstTable)
        for first in stride(from: 0, to: count, by: Int(Self.pageEntries)) {
            for places in [try ownPlaces(from: first), try redundantPlaces(from: first)] {
                for place in places where place > VMDKEntryRules.invalid {
                    guard noted.add(place) else {
                        throw VMDKTableRoom.tooMany(file: metadata.storage.name)
                    }
                }
            }
        }
        guard noted.finish() else { throw VMDKTableRoom.tooMany(file: metadata.storage.name) }
        return noted
    }

    /// The places that a page of the directory itself has, from entry `first` on: nothing is taken from the redundant one.
    private func ownPlaces(from first: UInt64) throws(DrayError) -> [UInt64] {
        let used = try page(first / Self.pageEntries)
        guard redundant != nil else { return used }
        return try entries(at: start + first * rules.entrySize, used.count).map(checked)
    }

    /// Whether ``place(_:)`` of table `index` is from the redundant directory.
    func isFromSpare(_ index: UInt64) throws(DrayError) -> Bool {
        guard redundant != nil else { return false }
        return try checked(stored(index)) != place(index)
    }

    /// The places that a page of the redundant directory has, from entry `first` on; none where there is no such directory.
    private func redundantPlaces(from first: UInt64) throws(DrayError) -> [UInt64] {
        guard let redundant else { return [] }
        let size = Int(min(Self.pageEntries, count - first))
        return try entries(at: redundant + first * rules.entrySize, size).map(checked)
    }

    private func entries(at offset: UInt64, _ count: Int) throws(DrayError) -> [UInt64] {
        try metadata.littleEndianWords(
            "the grain directory",
            at: offset,
            count: count,
            width: Int(rules.entrySize)
        )
    }

    /// Tables that together are larger than the file are shared: walking them could take for ever.
    private func refuseSharing(_ places: [UInt64], _ number: UInt64) throws(DrayError) {
        let present = places.count { $0 > VMDKEntryRules.invalid }
        let total = counted.withLock { counted in
            if counted.pages.insert(number).inserted { counted.tables += UInt64(present) }
            return counted.tables
        }
        guard total > metadata.length / tableSize + 1 else { return }
        throw DrayError(
            .corrupt,
            "the grain directory names more grain tables than the file has room for",
            file: metadata.storage.name,
            offset: start
        )
    }
}
