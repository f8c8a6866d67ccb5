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

    private let parts: [Part]
    private let tables: VMDKTablePlaces
    /// The end of everything. Mostly the grains are all behind it.
    private let end: UInt64

    /// The places of `parts` and of `tables`, which are in order.
    init(_ parts: [Part], tables: VMDKTablePlaces) {
        self.parts = parts
        self.tables = tables
        end = max(parts.map(\.bytes.upperBound).max() ?? 0, tables.end)
    }

    /// Whether the table at `place`, of a directory or of the redundant one, shares space with another: one of their entries is damaged.
    func isShared(_ place: UInt64) -> Bool { tables.isShared(place) }

    /// Whether the `size` bytes from `start` on have something of grain tables, and of no other metadata.
    func isTableAlone(at start: UInt64, size: UInt64) -> Bool {
        tables.overlaps(start, size) && !parts.contains { $0.overlaps(start, size) }
    }

    /// Whether there are such tables.
    var hasShared: Bool { tables.hasShared }

    /// What the `size` bytes from `start` on, which lie in the file, would share with a grain that is said to be there; nil where
    /// they are free.
    func part(at start: UInt64, size: UInt64) -> String? {
        guard start < end else { return nil }
        if let part = parts.first(where: { $0.overlaps(start, size) }) { return part.name }
        return tables.overlaps(start, size) ? "a grain table" : nil
    }
}
