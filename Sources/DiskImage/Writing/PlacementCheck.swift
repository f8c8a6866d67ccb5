// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Validates what ranges report about their payload: the reports come in messages, and the tables are made of them.
struct PlacementCheck {
    /// The target's rules.
    let rules: Allocation
    /// The size of the virtual disk in bytes.
    let guestSize: UInt64
    /// The most that a compressed cluster may take, in bytes: then placements say how long they are. Nil where none is compressed.
    var largestStream: UInt64?

    /// Whether clusters are compressed.
    var isPacked: Bool { largestStream != nil }

    /// Fails with `bug` where `ranges` do not cover the disk in order, contradict themselves, or claim places that are not
    /// theirs. What passes can be worked with in unchecked arithmetic.
    func validate(_ ranges: [RangePlacement]) throws(DrayError) {
        var expected: UInt64 = 0
        for (index, placement) in ranges.enumerated() {
            let range = placement.range
            guard range.start.bytes == expected, range.length > 0,
                expected % rules.clusterSize == 0,
                let end = expected.adding(range.length), end <= guestSize
            else {
                throw contradiction(index, "is \(range.length) bytes from \(range.start.bytes)")
            }
            try checkRuns(placement, index)
            expected = end
        }
        guard expected.roundedUp(to: 512) == guestSize else {
            throw DrayError(.bug, "the ranges end at \(expected), the disk at \(guestSize)")
        }
    }

    private func checkRuns(_ placement: RangePlacement, _ index: Int) throws(DrayError) {
        var left = placement.range.length.dividedRoundingUp(by: rules.granule)
        for run in placement.runs {
            guard run.count > 0, UInt64(run.count) <= left else {
                throw contradiction(index, "has a run of \(run.count) granules")
            }
            left -= UInt64(run.count)
        }
        guard isPacked == (placement.stored != nil) else {
            throw contradiction(index, "is packed though the target is not, or not though it is")
        }
        guard left == 0 else { throw contradiction(index, "leaves \(left) granules open") }
        guard let reservation = placement.reservation else {
            guard !placement.runs.contains(where: { $0.state == .data }) else {
                throw contradiction(index, "has data but no reservation")
            }
            return
        }
        let start = reservation.bytes
        guard !isPacked else { return try checkPacked(placement, start, index) }
        guard start >= rules.firstPayload.bytes, start <= limit,
            (start - rules.firstPayload.bytes) % rules.clusterSize == 0
        else { throw contradiction(index, "has its reservation at \(start)") }
    }

    /// Each data cluster has its length, and what is stored as it is lies where clusters do.
    private func checkPacked(
        _ placement: RangePlacement,
        _ start: UInt64,
        _ index: Int
    ) throws(DrayError) {
        guard let stored = placement.stored, let largestStream else { return }
        var lengths = stored.makeIterator()
        var count = 0
        while let length = lengths.next() {
            guard length <= largestStream else {
                throw contradiction(index, "has a stream of \(length) bytes")
            }
            count += 1
        }
        let wanted = placement.runs.reduce(0) { $0 + ($1.state == .data ? $1.count : 0) }
        guard count == wanted else {
            throw contradiction(index, "has \(count) lengths of \(wanted) clusters")
        }
        guard start >= rules.firstPayload.bytes,
            start <= UInt64(Int64.max) / 2
        else { throw contradiction(index, "has its reservation at \(start)") }
        let end = PackedLayout(stored, rules, from: start).payloadEnd
        guard end <= rules.payloadLimit.bytes else {
            throw contradiction(index, "has payload up to \(end)")
        }
    }

    /// Fails with `bug` where clusters of a placement that was validated lie outside the target's payload.
    func checkPlace(_ clusters: Range<UInt64>, _ index: Int) throws(DrayError) {
        guard clusters.upperBound * rules.clusterSize <= limit else {
            throw contradiction(
                index,
                "has payload up to \(clusters.upperBound * rules.clusterSize)"
            )
        }
    }

    /// The end of payload in a target whose disk is all data: nothing is ever reserved beyond.
    private var limit: UInt64 {
        let clusters = guestSize.dividedRoundingUp(by: rules.clusterSize)
        return rules.firstPayload.bytes + clusters * rules.clusterSize
    }

    private func contradiction(_ index: Int, _ what: String) -> DrayError {
        DrayError(.bug, "placement \(index) contradicts the plan: it \(what)")
    }
}
