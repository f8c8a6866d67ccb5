// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Where an extent's own metadata lie in its file: what is read from there is no grain.
///
/// Only what the disk is read by counts, each in the space that it takes: header, embedded descriptor, directories and grain
/// tables. The header's `overHead` says the same in one number, but writers of streams put all sorts of numbers there, and qemu-img
/// does not look at it (nor, in 7.2, at any of this: it gives the metadata out as data).
struct VMDKMetadataPlaces: Sendable {
    /// A piece of metadata.
    struct Part: Sendable {
        /// What it is, for messages.
        let name: String
        /// Where it is in the file.
        let bytes: Range<UInt64>

        /// A piece of `size` bytes from `start` on; nil where there are no such places.
        init?(_ name: String, at start: UInt64, size: UInt64) {
            guard let end = start.adding(size) else { return nil }
            self.name = name
            bytes = start..<end
        }

        /// Whether any of the `size` bytes from `start` on, which lie in the file, are in here.
        func overlaps(_ start: UInt64, _ size: UInt64) -> Bool {
            start < bytes.upperBound && bytes.lowerBound < start + size
        }
    }

    /// How many stretches of grain tables are noted, 16 MiB of them: a stream of 32 TiB has as many. Grains in tables beyond them are
    /// read as before.
    static let mostStretches = 1 << 20

    private let parts: [Part]
    /// Where tables are, in order, and apart.
    private let tables: [Range<UInt64>]
    /// The end of everything. Mostly the grains are all behind it.
    private let end: UInt64

    /// The places of `parts` and of `tables`, which come in any order.
    init(_ parts: [Part], tables: [Range<UInt64>]) {
        self.parts = parts
        var merged: [Range<UInt64>] = []
        for table in tables.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, table.lowerBound <= last.upperBound {
                let end = max(last.upperBound, table.upperBound)
                merged[merged.count - 1] = last.lowerBound..<end
            } else {
                merged.append(table)
            }
        }
        self.tables = merged
        end = max(parts.map(\.bytes.upperBound).max() ?? 0, merged.last?.upperBound ?? 0)
    }

    /// What the `size` bytes from `start` on, which lie in the file, would share with a grain that is said to be there; nil where
    /// they are free.
    func part(at start: UInt64, size: UInt64) -> String? {
        guard start < end else { return nil }
        if let part = parts.first(where: { $0.overlaps(start, size) }) { return part.name }
        // The first stretch that does not end before.
        var (low, high) = (0, tables.count)
        while low < high {
            let middle = (low + high) / 2
            if tables[middle].upperBound <= start { low = middle + 1 } else { high = middle }
        }
        guard low < tables.count, tables[low].lowerBound < start + size else { return nil }
        return "a grain table"
    }
}
