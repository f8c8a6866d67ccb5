// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage
internal import Synchronization

/// Where the grains of a sparse extent are, of any of the three kinds: directory, tables and grains.
///
/// Tables are read as they are asked for, neighbours together, and kept as places (see ``VMDKEntryRules``). May be asked from
/// any thread.
final class VMDKGrainMap: Sendable {
    /// What a sparse extent's header says about its map. Sizes are in bytes.
    struct Geometry: Sendable {
        /// The extent's part of the disk.
        var size: UInt64
        /// A grain.
        var grainSize: UInt64
        /// How many entries a grain table has.
        var tableEntries: UInt64
        /// Where the grain directory starts.
        var directory: UInt64
        /// Where the redundant one starts, if there is one.
        var redundantDirectory: UInt64?
        /// What the entries mean.
        var rules: VMDKEntryRules
        /// Whether a grain is a stream of unknown length.
        var isCompressed = false
        /// The header, and the descriptor where it is embedded.
        var heads: [VMDKMetadataPlaces.Part]

        /// How much of the disk a table covers. The parser has limited it.
        var coverage: UInt64 { tableEntries * grainSize }
        /// How many tables there are.
        var tables: UInt64 { size.dividedRoundingUp(by: coverage) }
        /// The space of a table: whole sectors.
        var tableSize: UInt64 {
            (tableEntries * rules.entrySize).dividedRoundingUp(by: VMDK.sector) * VMDK.sector
        }
    }

    /// A run of the extent in one state.
    struct Run {
        /// Bytes.
        var length: UInt64
        /// Where the first byte is (of a compressed grain: where its stream or marker starts), or a special place.
        let place: UInt64
    }

    /// The most that is read at once for tables, in bytes.
    private static let readSize: UInt64 = 64 << 10

    let geometry: Geometry
    let directory: VMDKDirectory
    let metadata: StorageMetadata
    private let tables: VMDKCaches.Cache
    let room: VMDKTableRoom
    /// The number of the first table in the cache.
    private let firstNumber: UInt64
    /// The tables that the redundant ones made good.
    let mended = Mutex<Set<UInt64>>([])
    /// Whether some redundant table names a grain, once that was asked.
    let isSpareFilled = Mutex<Bool?>(nil)
    /// The places that tables give away, once that was asked.
    let claimed = Mutex<[UInt64]?>(nil)
    private let noted = Mutex<VMDKMetadataPlaces?>(nil)

    /// The map that `geometry` describes, which keeps tables in `caches`. Fails with `corrupt` where its directory is not in the
    /// file, with `unsupported` where it is too large.
    init(_ geometry: Geometry, _ metadata: StorageMetadata, _ caches: VMDKCaches)
        throws(DrayError)
    {
        self.geometry = geometry
        self.metadata = metadata
        directory = try VMDKDirectory(
            metadata,
            rules: geometry.rules,
            at: geometry.directory,
            redundant: geometry.redundantDirectory,
            count: geometry.tables,
            tableSize: geometry.tableSize,
            heads: geometry.heads,
            caches: caches
        )
        tables = caches.tables(entries: geometry.tableEntries)
        room = caches.tableRoom
        firstNumber = caches.reserve(geometry.tables)
    }

    /// The run that begins at `start` and ends before `end` at most, both in bytes of the extent. A compressed grain is a run
    /// of its own.
    func run(from start: UInt64, to end: UInt64) throws(DrayError) -> Run {
        var index = start / geometry.coverage
        guard let table = try table(index) else { return try absentRun(from: index, start, end) }
        let first = Int(start % geometry.coverage / geometry.grainSize)
        let inGrain = start % geometry.grainSize
        let place = table[first]
        guard place != VMDKEntryRules.invalid else { throw try damage(index, first) }
        let step = step(place)
        guard step > 0 || place <= VMDKEntryRules.invalid else {
            return Run(length: min(end - start, geometry.grainSize - inGrain), place: place)
        }
        var next = place + step
        var length = extend(&next, by: step, table, from: first + 1, last: last(index, end))
        length += geometry.grainSize - inGrain
        // A run goes on only where the one before reached its table's end, and an error belongs to the bytes that it concerns:
        // it will be met when they are asked for.
        while start + length < end, (start + length) % geometry.coverage == 0 {
            // Absent tables are passed over many at a time.
            index = (start + length) / geometry.coverage
            guard let more = try? continuation(&next, step, index, end), more > 0 else { break }
            length += more
        }
        let host = place > VMDKEntryRules.invalid ? place + inGrain : place
        return Run(length: min(length, end - start), place: host)
    }

    /// What places grow by from one grain of a run to the next; 0 for what has no place, and for streams.
    private func step(_ place: UInt64) -> UInt64 {
        place > VMDKEntryRules.invalid && !geometry.isCompressed ? geometry.grainSize : 0
    }

    /// How many bytes of grains from entry `first` on continue a run whose next place is `next`.
    private func extend(
        _ next: inout UInt64,
        by step: UInt64,
        _ table: [UInt64],
        from first: Int,
        last: Int
    ) -> UInt64 {
        var index = first
        while index < last, table[index] == next {
            next += step
            index += 1
        }
        return UInt64(max(index - first, 0)) * geometry.grainSize
    }

    private func continuation(
        _ next: inout UInt64,
        _ step: UInt64,
        _ index: UInt64,
        _ end: UInt64
    ) throws(DrayError) -> UInt64 {
        guard let table = try table(index) else {
            guard next == VMDKEntryRules.unallocated else { return 0 }
            return try absentRun(from: index, index * geometry.coverage, end).length
        }
        return extend(&next, by: step, table, from: 0, last: last(index, end))
    }

    /// The run from `start` over absent tables, of which `index` is the first.
    private func absentRun(from index: UInt64, _ start: UInt64, _ end: UInt64) throws(DrayError)
        -> Run
    {
        let tables = end.dividedRoundingUp(by: geometry.coverage)
        let present = try directory.firstPresent(from: index + 1, to: max(tables, index + 1))
        let length = min(end, present * geometry.coverage) - start
        return Run(length: length, place: VMDKEntryRules.unallocated)
    }

    /// The first entry behind `end` or behind table `index`.
    private func last(_ index: UInt64, _ end: UInt64) -> Int {
        let covered = min(end - index * geometry.coverage, geometry.coverage)
        return Int(covered.dividedRoundingUp(by: geometry.grainSize))
    }

    /// The places of table `index`, as many as the disk reaches; nil where the table is absent.
    func table(_ index: UInt64) throws(DrayError) -> [UInt64]? {
        let number = firstNumber + index
        if let known = tables.find(number) { return known }
        let place = try directory.place(index)
        guard place != VMDKEntryRules.unallocated else { return nil }
        do throws(DrayError) {
            guard place > VMDKEntryRules.invalid, try !isDisputed(index, place) else {
                throw try damagedTable(index)
            }
            try readTables(from: index, at: place)
        } catch {
            guard error.kind == .corrupt, let found = try spareTable(index), try isTrusted(found),
                try !areClaimed(found, index)
            else { throw error }
            tables.insert(found, number)
            noteMended(index)
        }
        if let known = tables.find(number) { return known }
        // Another thread's tables have pushed it out in the meantime.
        return try places(try tableWords(at: place, entries(of: index)), index)
    }

    /// Reads table `index` at `place` and the next ones with it, where they lie behind it.
    private func readTables(from index: UInt64, at place: UInt64) throws(DrayError) {
        let size = geometry.tableSize
        var count = try directory.contiguous(
            from: index,
            stride: size,
            limit: max(1, Self.readSize / size)
        )
        let hasShared = try metadataPlaces().hasShared
        if hasShared || place + count * size > metadata.length { count = 1 }
        let last = entries(of: index + count - 1)
        let whole = (count - 1) * size / geometry.rules.entrySize
        let words = try tableWords(at: place, whole + last)
        let stride = Int(size / geometry.rules.entrySize)
        for position in 0..<Int(count) {
            let number = index + UInt64(position)
            let first = position * stride
            let stored = words[first..<first + Int(entries(of: number))]
            var found = try places(stored, number)
            do throws(DrayError) {
                try mend(&found, number, stored)
            } catch {
                // An error belongs to the table that was asked for.
                if position > 0 { return }
                throw error
            }
            tables.insert(found, firstNumber + number)
        }
    }

    /// `count` entries as stored, from offset `place` on.
    func tableWords(at place: UInt64, _ count: UInt64) throws(DrayError) -> [UInt64] {
        try metadata.littleEndianWords(
            "a grain table",
            at: place,
            count: Int(count),
            width: Int(geometry.rules.entrySize)
        )
    }

    /// How many entries of table `index` the disk reaches.
    func entries(of index: UInt64) -> UInt64 {
        let rest = geometry.size - index * geometry.coverage
        return min(geometry.tableEntries, rest.dividedRoundingUp(by: geometry.grainSize))
    }

    /// Where the extent's own metadata are. The first call walks through the directory, and fails where the tables lie in too many places.
    func metadataPlaces() throws(DrayError) -> VMDKMetadataPlaces {
        try noted.withLock { noted throws(DrayError) in
            if let noted { return noted }
            let tables = try directory.tablePlaces()
            try room.take(tables.count, file: metadata.storage.name)
            let places = VMDKMetadataPlaces(geometry.heads + directory.parts, tables: tables)
            noted = places
            return places
        }
    }

    /// Places of entries as stored; what is not in the file, or in its metadata, is invalid. The disk's last grain may be cut off with it.
    func places(_ words: some Collection<UInt64>, _ index: UInt64) throws(DrayError)
        -> [UInt64]
    {
        let (rules, size, length) = (geometry.rules, geometry.grainSize, metadata.length)
        let own = try metadataPlaces()
        let isFree = { (place: UInt64, needed: UInt64) in
            place < length && length - place >= needed && own.part(at: place, size: needed) == nil
        }
        let needed = geometry.isCompressed ? 1 : size
        var places = words.map { word in
            let place = rules.grain(word, grainSize: size)
            // Nothing that has a place is within the first sector.
            guard place > VMDKEntryRules.invalid else { return place }
            return isFree(place, needed) ? place : VMDKEntryRules.invalid
        }
        if index + 1 == geometry.tables, let last = places.indices.last,
            places[last] == VMDKEntryRules.invalid
        {
            let rest = (geometry.size - 1) % size + 1
            let word = words[words.index(words.startIndex, offsetBy: last)]
            let place = rules.grain(word, grainSize: size)
            if place > VMDKEntryRules.invalid, isFree(place, rest) { places[last] = place }
        }
        return places
    }
}
