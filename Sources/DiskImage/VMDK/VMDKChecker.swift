// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Storage

extension VMDKDriver {
    /// Verifies directories and tables of all extents: every grain lies in its file and belongs to one place of the disk. As with
    /// qemu-img, the numbers of clusters are not counted. Where only the redundant tables are damaged, a warning says so: the disk is whole.
    package func check() throws(DrayError) -> CheckReport? {
        var report = CheckReport()
        for extent in extents {
            guard case .sparse(let sparse) = extent.content else { continue }
            var checker = try VMDKChecker(sparse.map)
            try checker.run(&report)
        }
        return report
    }
}

/// Verifies the map of one sparse extent.
struct VMDKChecker {
    /// The most memory that the note of used places may take, in bytes.
    private static let largestNote: UInt64 = 192 << 20
    /// How many findings are named.
    private static let mostFindings = 100

    private let map: VMDKGrainMap
    /// The distance between two places that cannot both be used, in bytes.
    private let unit: UInt64
    /// A bit for each unit of the file: whether a grain begins there.
    private var used: [UInt64]
    /// The tables for which the redundant directory has none, or another one.
    private var lone: (count: UInt64, first: UInt64) = (0, 0)

    /// A checker of `map`. Fails with `unsupported` where the file is too large to be noted.
    init(_ map: VMDKGrainMap) throws(DrayError) {
        self.map = map
        unit = map.geometry.isCompressed ? VMDK.sector : map.geometry.grainSize
        let units = map.metadata.length / unit + 1
        guard units / 8 <= Self.largestNote else {
            throw DrayError(
                .unsupported,
                "the file has more places for grains than can be checked",
                file: map.metadata.storage.name
            )
        }
        used = [UInt64](repeating: 0, count: Int(units / 64) + 1)
    }

    /// Adds what is wrong to `report`.
    mutating func run(_ report: inout CheckReport) throws(DrayError) {
        if map.directory.isSpare {
            note("the grain directory is not in the file; the redundant one is read", &report)
        }
        for index in try map.directory.damagedEntries() {
            note(
                "entry \(index) of the grain directory is damaged; the redundant one has it",
                &report
            )
        }
        var index: UInt64 = 0
        var isEmpty = true
        while true {
            index = try map.directory.firstPresent(from: index, to: map.geometry.tables)
            guard index < map.geometry.tables else { break }
            try check(table: index, &report)
            isEmpty = false
            index += 1
        }
        for index in map.mendedTables() {
            note("grain table \(index) is damaged; the redundant one is read", &report)
        }
        if !isEmpty { warnOfSpare(&report) }
    }

    /// Tells what is wrong with the redundant directory and its tables, of which nothing was read.
    private func warnOfSpare(_ report: inout CheckReport) {
        switch map.directory.spare {
        case .none: return
        case .outside: warn("the redundant grain directory is not in the file", &report)
        case .damaged: warn("the redundant grain directory is damaged", &report)
        case .sound where lone.count > 0:
            let text =
                "the redundant directory lacks \(lone.count) of the grain tables, or has others"
            warn("\(text); the first is table \(lone.first)", &report)
        case .sound: return
        }
    }

    private mutating func check(table index: UInt64, _ report: inout CheckReport) throws(DrayError)
    {
        let places: [UInt64]
        do throws(DrayError) {
            guard let table = try map.table(index) else { return }
            places = table
            try compareSpare(index, table)
        } catch  where error.kind == .corrupt {
            return note(error.description, &report)
        }
        for (entry, place) in places.enumerated() where place > VMDKEntryRules.zeroed {
            guard place > VMDKEntryRules.invalid else {
                note(try map.damage(index, entry).description, &report)
                continue
            }
            let slot = Int(place / unit)
            let bit = UInt64(1) << UInt64(slot % 64)
            if used[slot / 64] & bit != 0 {
                let guest = index * map.geometry.coverage + UInt64(entry) * map.geometry.grainSize
                note(
                    "the grain for offset \(guest) of the extent, at \(place), is another's, too",
                    &report
                )
            }
            used[slot / 64] |= bit
        }
    }

    private mutating func compareSpare(_ index: UInt64, _ table: [UInt64]) throws(DrayError) {
        guard case .sound = map.directory.spare, try !map.hasSpare(index, of: table) else { return }
        if lone.count == 0 { lone.first = index }
        lone.count += 1
    }

    /// Adds what is no error: the disk reads right.
    private func warn(_ text: String, _ report: inout CheckReport) {
        guard report.findings.count < Self.mostFindings else { return }
        let name = map.metadata.storage.name
        report.findings.append("WARNING \(name): \(text), and could not help if the other were")
    }

    private func note(_ text: String, _ report: inout CheckReport) {
        report.corruptions += 1
        if report.findings.count < Self.mostFindings { report.findings.append("ERROR \(text)") }
    }
}
