// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// How a new VMDK image's disk is divided into extents, each a file of its own beside the descriptor or the one file that there is.
struct VMDKExtents: Sendable, Hashable {
    /// The most bytes of the disk that a file of a split image has: with its tables it stays below 2 GiB. A multiple of the ranges' unit.
    static let splitShare: UInt64 = 2044 << 20
    /// What lies between the starts of two sparse files in a payload's place: more than any has.
    static let sparseStride: UInt64 = 4 << 30
    /// The largest disk in a flat file: a place is never more than 2^63 bytes.
    static let largestFlat: UInt64 = 1 << 61

    /// The size of the disk in bytes, a multiple of 512.
    let guestSize: UInt64
    /// How it is stored.
    let subformat: VMDKSubformat

    /// How many there are: one at least.
    var count: Int { max(1, Int(guestSize.dividedRoundingUp(by: share))) }

    /// The bytes of the disk that each has; the last may have fewer.
    var share: UInt64 {
        if subformat.isSplit { return Self.splitShare }
        let unit: UInt64 = 4 << 20
        return max(1, guestSize.dividedRoundingUp(by: unit)) * unit
    }

    /// The bytes of the disk that extent `index`, from 0, has.
    func capacity(_ index: Int) -> UInt64 {
        min(share, guestSize.subtractingOrZero(UInt64(index) * share))
    }

    /// The layout of extent `index`.
    func layout(_ index: Int) -> VMDKSparseLayout {
        VMDKSparseLayout(capacity: capacity(index), hasDescriptor: subformat.embedsDescriptor)
    }

    /// The files beside the descriptor of the image `name`; nil where it is in the extent itself.
    func files(of name: String) -> TargetFiles? {
        guard !subformat.embedsDescriptor else { return nil }
        let stride = subformat.isFlat ? share : Self.sparseStride
        let starts = subformat.isFlat ? [] : (0..<count).map { payloadStart($0) }
        return TargetFiles(
            names: (1...count).map { VMDKExtentNames.name($0, of: name, subformat) },
            stride: stride,
            share: share,
            payloadStarts: starts
        )
    }

    /// The space that headers, descriptor and tables take in all sparse extents, or in a stream.
    var metadataLength: UInt64 {
        guard subformat == .streamOptimized else {
            return (0..<count).reduce(0) { $0 + self.layout($1).firstGrain.bytes }
        }
        let layout = self.layout(0)
        let tables = layout.tableCount * UInt64(VMDKStreamTables.trailerLength)
        return layout.streamStart.bytes + tables + layout.directoryLength + 4 * VMDK.sector
    }

    /// Where the first grain of extent `index` goes.
    func payloadStart(_ index: Int) -> HostOffset {
        let layout = self.layout(index)
        guard subformat != .streamOptimized else { return layout.streamStart }
        return fileStart(index) + layout.firstGrain.bytes
    }

    /// Where the file of extent `index` starts in a payload's place.
    private func fileStart(_ index: Int) -> HostOffset {
        HostOffset(subformat.isSplit ? UInt64(index + 1) * Self.sparseStride : 0)
    }

    /// What was placed in extent `index`, told as if it were a disk of its own. Fails with `bug` where something is in another one.
    func placements(
        _ index: Int,
        of ranges: [RangePlacement]
    ) throws(DrayError) -> [RangePlacement] {
        guard subformat.isSplit else { return ranges }
        let first = UInt64(index) * share
        let start = fileStart(index).bytes
        var own: [RangePlacement] = []
        for placement in ranges.drop(while: { $0.range.start.bytes < first }) {
            guard placement.range.start.bytes < first + share else { break }
            let place = placement.reservation?.bytes
            guard place.map({ $0 >= start }) ?? true else {
                throw DrayError(.bug, "extent \(index) has payload outside its file")
            }
            own.append(
                RangePlacement(
                    range: GuestRange(
                        GuestOffset(placement.range.start.bytes - first),
                        length: placement.range.length
                    ),
                    reservation: place.map { HostOffset($0 - start) },
                    runs: placement.runs
                )
            )
        }
        return own
    }
}
