// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage

/// The states of a range's granules, run by run, and the places that follow from them.
struct GranuleStates {
    /// The runs so far.
    private(set) var runs: [RangePlacement.Run] = []

    /// Appends `count` granules of one state.
    mutating func append(_ state: RangePlacement.State, _ count: UInt64) {
        if let last = runs.last, last.state == state {
            runs[runs.count - 1] = RangePlacement.Run(state, last.count + Int(count))
        } else {
            runs.append(RangePlacement.Run(state, Int(count)))
        }
    }

    /// A stretch of the range's buffer and where it goes, in bytes from the reservation's start.
    struct Piece {
        /// Where it is in the buffer.
        let bytes: Range<Int>
        /// Where it goes.
        let host: UInt64
    }

    /// The size of the reservation and the pieces to write to it: every cluster with a data granule takes the next place.
    func placement(granule: UInt64, cluster: UInt64) -> (bytes: UInt64, pieces: [Piece]) {
        var pieces: [Piece] = []
        var clusters: UInt64 = 0
        var lastCluster: UInt64?
        var position: UInt64 = 0
        for run in runs {
            let end = position + UInt64(run.count) * granule
            defer { position = end }
            guard run.state == .data else { continue }
            let first = position / cluster
            if lastCluster != first { clusters += 1 }
            let host = (clusters - 1) * cluster + position % cluster
            pieces.append(Piece(bytes: Int(position)..<Int(end), host: host))
            let last = (end - 1) / cluster
            clusters += last - first
            lastCluster = last
        }
        return (clusters * cluster, pieces)
    }
}
