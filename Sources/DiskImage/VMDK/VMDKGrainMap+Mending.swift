// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage
internal import Synchronization

/// What redundant tables make good.
extension VMDKGrainMap {
    /// How many tables that were made good are remembered.
    private static let mostNoted = 1000

    /// The places of the redundant table `index`; nil where there is none in the file.
    func spareTable(_ index: UInt64) throws(DrayError) -> [UInt64]? {
        guard let spare = try directory.redundantPlace(index),
            try !metadataPlaces().isShared(spare),
            let words = try spareWords(at: spare, index)
        else { return nil }
        return try places(words, index)
    }

    /// The entries of the table `index` at `place` as stored; nil where they are not all in the file. What cannot be read is an error: without it
    /// damage would read as zeros.
    func spareWords(at place: UInt64, _ index: UInt64) throws(DrayError) -> [UInt64]? {
        do throws(DrayError) {
            return try tableWords(at: place, entries(of: index))
        } catch  where error.kind == .corrupt {
            return nil
        }
    }

    /// Whether the redundant directory alone has table `index`, at `place`, and has another table there, too.
    func isDisputed(_ index: UInt64, _ place: UInt64) throws(DrayError) -> Bool {
        guard try metadataPlaces().isShared(place) else { return false }
        return try directory.isFromSpare(index)
    }

    /// Whether a grain of `words`, a table's entries as stored, lies where the redundant directory has table `index`, and in no other
    /// metadata: of that table nothing can be taken then, as it may be the grain's content.
    private func isGrain(_ index: UInt64, _ words: ArraySlice<UInt64>) throws(DrayError) -> Bool {
        guard let spare = try directory.redundantPlace(index) else { return false }
        let own = try metadataPlaces()
        let (size, end) = (geometry.grainSize, spare + geometry.tableSize)
        let needed = geometry.isCompressed ? 1 : size
        return words.contains { word in
            let place = geometry.rules.grain(word, grainSize: size)
            guard place > VMDKEntryRules.invalid, place < end else { return false }
            return spare < place + needed && own.isTableAlone(at: place, size: needed)
        }
    }

    /// Takes a table with damaged entries, or one that is all zeros, from the redundant one; only those entries where that is damaged, too. `words` is
    /// the table as stored.
    /// Fails with `corrupt` where there is no telling whether zeros are meant.
    func mend(_ places: inout [UInt64], _ index: UInt64, _ words: ArraySlice<UInt64>)
        throws(DrayError)
    {
        let isEmpty = Self.isEmpty(places)
        guard isEmpty || places.contains(VMDKEntryRules.invalid) else { return }
        guard try !isGrain(index, words) else { return }
        guard let others = try spareTable(index), !Self.isEmpty(others) else {
            if isEmpty { try refuseUnfilled(index) }
            return
        }
        if isEmpty, try areClaimed(others, index) { return }
        // Where some entries are damaged others may be, and still look like a grain's place or like none.
        let isWhole = isEmpty || !others.contains(VMDKEntryRules.invalid)
        var count = 0
        for entry in places.indices
        where (isWhole || places[entry] == VMDKEntryRules.invalid)
            && others[entry] != VMDKEntryRules.invalid && others[entry] != places[entry]
        {
            places[entry] = others[entry]
            count += 1
        }
        if count > 0 { noteMended(index) }
    }

    private static func isEmpty(_ places: [UInt64]) -> Bool {
        places.allSatisfy { $0 == VMDKEntryRules.unallocated }
    }

    /// Fails with `corrupt` where the empty table `index` stands in for one that is not found, and no redundant one names a grain.
    private func refuseUnfilled(_ index: UInt64) throws(DrayError) {
        guard try directory.isReplaced(index), try !areSparesFilled() else { return }
        throw DrayError(
            .corrupt,
            "grain table \(index) is not found, and no redundant table names a grain: they may never have been filled",
            file: metadata.storage.name,
            offset: directory.start + index * geometry.rules.entrySize
        )
    }

    /// Whether the redundant table `places` may stand in for a damaged one: zeros prove nothing where all have nothing else.
    func isTrusted(_ places: [UInt64]) throws(DrayError) -> Bool {
        guard Self.isEmpty(places) else { return true }
        return try areSparesFilled()
    }

    /// Whether some redundant table names a grain. The first call reads them until one does.
    private func areSparesFilled() throws(DrayError) -> Bool {
        try isSpareFilled.withLock { known throws(DrayError) in
            if let known { return known }
            var isFilled = false
            for index in 0..<geometry.tables where !isFilled {
                guard let place = try directory.sparePlace(index),
                    let words = try spareWords(at: place, index)
                else { continue }
                isFilled = words.contains { $0 != 0 }
            }
            known = isFilled
            return isFilled
        }
    }

    /// Whether the redundant directory has a table `index` with these `places`, so that it could stand in for the one that is read.
    func hasSpare(_ index: UInt64, of places: [UInt64]) throws(DrayError) -> Bool {
        try spareTable(index) == places
    }

    func noteMended(_ index: UInt64) {
        mended.withLock { if $0.count < Self.mostNoted { $0.insert(index) } }
    }

    /// The tables, of those that were read, that the redundant ones made good: some, where there are many.
    func mendedTables() -> [UInt64] { mended.withLock { $0.sorted() } }
}
