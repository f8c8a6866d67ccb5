// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage
internal import Synchronization

/// Which places of the file the grain tables give away: whether a redundant table tells the truth where the other one is empty.
extension VMDKGrainMap {
    /// The most grains that a file may have room for to be noted, a bit each: 8 MiB.
    private static let mostNoted: UInt64 = 64 << 20

    /// Whether `others`, which the redundant table `index` has and the empty table has not, are grains of other tables: then an entry of the
    /// redundant table is damaged. Fails with `corrupt` where that is so for some and not for all. Not asked for streams, whose grains say what they are.
    func areClaimed(_ others: [UInt64], _ index: UInt64) throws(DrayError) -> Bool {
        let grains = others.filter { $0 > VMDKEntryRules.invalid }
        guard !geometry.isCompressed, !grains.isEmpty, let claims = try claims() else {
            return false
        }
        let claimed = grains.count { place in
            let unit = place / geometry.grainSize
            return claims[Int(unit / 64)] >> (unit % 64) & 1 == 1
        }
        guard claimed > 0, claimed < grains.count else { return claimed > 0 }
        throw DrayError(
            .corrupt,
            "grain table \(index) is empty, and the redundant one has \(claimed) grains of other tables",
            file: metadata.storage.name,
            offset: directory.start + index * geometry.rules.entrySize
        )
    }

    /// A bit for each part of the file of a grain's size: whether a table names a grain that begins in it: two that begin in one
    /// overlap. Nil where they are too many. The first call reads all tables.
    private func claims() throws(DrayError) -> [UInt64]? {
        try claimed.withLock { claimed throws(DrayError) in
            if let claimed { return claimed }
            let count = metadata.length / geometry.grainSize + 2
            guard count <= Self.mostNoted else { return nil }
            var noted = [UInt64](repeating: 0, count: Int(count / 64) + 1)
            // It is kept, and takes what as many stretches of tables would.
            try room.take(noted.count, file: metadata.storage.name)
            var index = try directory.firstPresent(from: 0, to: geometry.tables)
            while index < geometry.tables {
                try note(index, in: &noted)
                index = try directory.firstPresent(from: index + 1, to: geometry.tables)
            }
            claimed = noted
            return noted
        }
    }

    private func note(_ index: UInt64, in noted: inout [UInt64]) throws(DrayError) {
        let table = try directory.place(index)
        guard table > VMDKEntryRules.invalid, try !directory.isFromSpare(index),
            let words = try spareWords(at: table, index)
        else { return }
        for place in try places(words, index) where place > VMDKEntryRules.invalid {
            let unit = place / geometry.grainSize
            noted[Int(unit / 64)] |= 1 << (unit % 64)
        }
    }
}
