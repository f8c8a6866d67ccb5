// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

extension VMDKDirectory {
    /// Whether most of the tables that the directory at `start` names, by its first entries, are in the file, and there are any. If not, the
    /// header's number for it is damaged, and may be the place of grains that the other directory has right. Fails where it cannot be read: what
    /// the other one lacks would then be zeros.
    static func isDirectory(
        _ start: UInt64,
        _ count: UInt64,
        _ metadata: StorageMetadata,
        _ rules: VMDKEntryRules,
        _ tableSize: UInt64
    ) throws(DrayError) -> Bool {
        let words = try metadata.littleEndianWords(
            "the redundant grain directory",
            at: start,
            count: Int(min(count, pageEntries)),
            width: Int(rules.entrySize)
        )
        let named = words.lazy.map { rules.table($0, tableSize: tableSize) }
            .filter { $0 != VMDKEntryRules.unallocated }
        let inFile = named.count { $0 > VMDKEntryRules.invalid && $0 < metadata.length }
        return inFile > 0 && inFile * 2 >= named.count
    }
}
