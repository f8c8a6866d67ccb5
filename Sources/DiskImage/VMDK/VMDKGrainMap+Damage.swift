// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// What is wrong with an entry, in words.
extension VMDKGrainMap {
    /// The error about the grain table `index`, whose place is none.
    func damagedTable(_ index: UInt64) throws(DrayError) -> DrayError {
        let stored = try directory.stored(index)
        let place = geometry.rules.table(stored, tableSize: geometry.tableSize)
        // A special place is none in the file.
        let part = place > VMDKEntryRules.invalid ? directory.part(at: place) : nil
        let problem =
            part.map { "a grain table would lie in \($0)" }
            ?? "no grain table is there in the file"
        return DrayError(
            .corrupt,
            "entry \(index) of the grain directory is 0x\(String(stored, radix: 16)): \(problem)",
            file: metadata.storage.name,
            offset: directory.start + index * geometry.rules.entrySize
        )
    }

    /// The error about entry `entry` of table `index`.
    func damage(_ index: UInt64, _ entry: Int) throws(DrayError) -> DrayError {
        let table = try directory.place(index)
        let offset = table + UInt64(entry) * geometry.rules.entrySize
        let word = try metadata.littleEndianWords(
            "a grain table",
            at: offset,
            count: 1,
            width: Int(geometry.rules.entrySize)
        )[0]
        let guest = index * geometry.coverage + UInt64(entry) * geometry.grainSize
        return DrayError(
            .corrupt,
            "the grain table's entry for offset \(guest) of the extent is 0x\(String(word, radix: 16)): "
                + (try problem(word)),
            file: metadata.storage.name,
            offset: offset
        )
    }

    private func problem(_ word: UInt64) throws(DrayError) -> String {
        let place = geometry.rules.grain(word, grainSize: geometry.grainSize)
        let size = geometry.isCompressed ? 1 : geometry.grainSize
        if place > VMDKEntryRules.invalid, place < metadata.length,
            let part = try metadataPlaces().part(at: place, size: size)
        {
            return "the grain would lie in \(part)"
        }
        return "no grain is there in the file (\(metadata.length) bytes)"
    }
}
