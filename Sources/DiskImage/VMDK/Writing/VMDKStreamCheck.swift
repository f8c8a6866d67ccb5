// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Validates what the ranges of a stream report: beyond what holds for every packed target, that they follow each other without gaps,
/// in guest order, each with the grains of one table.
struct VMDKStreamCheck {
    private let packing: Packing
    private let guestSize: UInt64

    /// A check for a disk of `guestSize` bytes.
    init(_ packing: Packing, guestSize: UInt64) {
        self.packing = packing
        self.guestSize = guestSize
    }

    /// Fails with `bug` where `ranges` contradict the rules.
    func validate(_ ranges: [RangePlacement]) throws(DrayError) {
        let check = PlacementCheck(
            rules: packing.rules,
            guestSize: guestSize,
            largestStream: UInt64(packing.largestStored)
        )
        try check.validate(ranges)
        var expected = packing.rules.firstPayload
        for placement in ranges {
            guard let start = placement.reservation else { continue }
            guard start == expected, isOneTable(placement.range), hasWholeSectors(placement) else {
                let place = placement.range.start.bytes
                throw DrayError(.bug, "the range at \(place) is not where the stream goes on")
            }
            guard let marker = VMDKStreamTables.tableMarker(placement) else { continue }
            expected = marker + UInt64(packing.trailerLength)
        }
    }

    private func isOneTable(_ range: GuestRange) -> Bool {
        range.start.bytes % packing.rangeUnit == 0 && range.length <= packing.rangeUnit
    }

    private func hasWholeSectors(_ placement: RangePlacement) -> Bool {
        var lengths = placement.stored?.makeIterator()
        while let length = lengths?.next() {
            if length == 0 || length % VMDK.sector != 0 { return false }
        }
        return true
    }
}
