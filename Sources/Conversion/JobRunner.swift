// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Digest
package import DiskImage

/// Does a job's steps: all image I/O is behind this. Synchronous; called on the worker's own threads, several at once.
///
/// Every step is deterministic and idempotent: running it again, here or elsewhere, gives the same result and leaves the same bytes.
package protocol JobRunner: Sendable {
    /// Opens the sources, checks the request, makes the plan and the empty staging target.
    func plan(_ job: JobOrder, _ control: any TaskControl) throws(DrayError) -> PlanResult

    /// Looks, before a job goes on that was cut off, whether its unfinished target still is what the results of the steps
    /// that were done left; fails with `changed` where it is not.
    func check(
        _ job: JobOrder,
        plan: PlanResult,
        results: [RangeResult],
        _ control: any TaskControl
    ) throws(DrayError)

    /// Looks whether sources and target of a job that has ended well still are those of its plan: whoever asks for the
    /// job again would be told that it is done. It ended at `end`, in milliseconds since 1970. Fails with `changed` where they are not;
    /// content of the target may differ.
    func confirm(
        _ job: JobOrder,
        plan: PlanResult,
        end: Int64?,
        _ control: any TaskControl
    ) throws(DrayError)

    /// Runs range `index` of the plan that has `planHash`. Fails with `changed` where the plan made from
    /// today's source has another hash.
    func run(
        _ job: JobOrder,
        planHash: String,
        index: Int,
        _ control: any TaskControl
    ) throws(DrayError) -> RangeResult

    /// Finishes the target from the results of all ranges and gives it its name. Sealing what is sealed already succeeds.
    func seal(
        _ job: JobOrder,
        planHash: String,
        results: [RangeResult],
        _ control: any TaskControl
    ) throws(DrayError) -> SealResult

    /// Removes what a job that failed or was cancelled left behind (unless it is to be kept).
    func discard(_ job: JobOrder) throws(DrayError)
}

extension JobRunner {
    /// Finds nothing wrong: for runners whose targets nobody else can reach.
    package func check(
        _ job: JobOrder,
        plan: PlanResult,
        results: [RangeResult],
        _ control: any TaskControl
    ) throws(DrayError) {}

    /// Finds nothing wrong, as above.
    package func confirm(
        _ job: JobOrder,
        plan: PlanResult,
        end: Int64?,
        _ control: any TaskControl
    ) throws(DrayError) {}
}

/// A job as a task names it.
package struct JobOrder: Sendable, Hashable, Codable {
    /// The job's id: letters, digits and dashes.
    package let id: String
    /// The request.
    package let spec: JobSpec

    /// Names a job.
    package init(id: String, spec: JobSpec) {
        self.id = id
        self.spec = spec
    }
}

/// What a running step may ask of the worker around it.
package protocol TaskControl: Sendable {
    /// Whether to stop at the next chunk, by throwing `cancelled`.
    var isCancelled: Bool { get }
    /// A contiguous place in the target for this range: the same answer for every attempt. May block, for long where places are given in
    /// guest order; throws `cancelled`, also where the range is to be run again later.
    func reserve(_ space: SpaceRequest) throws(DrayError) -> HostOffset
    /// Says that `bytes` more of data are done, 0 where they are counted already or are not data; also renews the task's lease.
    func progress(_ bytes: UInt64)
}

/// The place that a range needs in its target.
package struct SpaceRequest: Sendable, Hashable {
    /// The most that ``alignment`` may be, in bytes.
    package static let largestAlignment: UInt64 = 2 << 20

    /// Bytes that may lie anywhere.
    package let bytes: UInt64
    /// Bytes that must begin at a multiple of ``alignment``: in front of the others where the place does, else behind them.
    package let alignedBytes: UInt64
    /// A power of two, in bytes.
    package let alignment: UInt64
    /// Where few streams may share a cluster of the file: what has to be known of the range to place another one behind it.
    package let shared: Shared?

    /// The clusters of a range, which share those of the file with other ranges: ``PackedLayout`` says how they lie, in clusters of
    /// ``SpaceRequest/alignment`` bytes.
    package struct Shared: Sendable, Hashable {
        /// The clusters' lengths.
        package let lengths: StoredLengths
        /// How many streams may have a part in one cluster of the file: 1, 3, 15 or 255.
        package let most: UInt64

        /// Names the clusters.
        package init(_ lengths: StoredLengths, most: UInt64) {
            self.lengths = lengths
            self.most = most
        }
    }

    /// Names a place of `bytes` bytes, and `alignedBytes` more at a multiple of `alignment`.
    package init(_ bytes: UInt64, alignedBytes: UInt64 = 0, alignment: UInt64 = 1) {
        self.bytes = bytes
        self.alignedBytes = alignedBytes
        self.alignment = alignment
        shared = nil
    }

    /// Names the place of clusters that share those of the file with other ranges'.
    package init(_ lengths: StoredLengths, _ rules: Allocation) {
        let sums = lengths.sums(clusterSize: rules.clusterSize)
        self.init(
            sums.streams,
            alignedBytes: sums.plain,
            alignment: rules.clusterSize,
            shared: Shared(lengths, most: rules.mostShared)
        )
    }

    /// Names the place of clusters that a message tells of.
    package init(_ bytes: UInt64, alignedBytes: UInt64, alignment: UInt64, shared: Shared?) {
        self.bytes = bytes
        self.alignedBytes = alignedBytes
        self.alignment = alignment
        self.shared = shared
    }

    /// Whether a message may say it.
    package var isValid: Bool {
        alignment.nonzeroBitCount == 1 && alignment <= Self.largestAlignment
            && bytes <= Self.most && alignedBytes <= Self.most && isSharedRight
    }

    private var isSharedRight: Bool {
        guard let shared else { return true }
        let sums = shared.lengths.sums(clusterSize: alignment)
        var lengths = shared.lengths.makeIterator()
        while let length = lengths.next() {
            if length >= alignment { return false }
        }
        return [1, 3, 15, 255].contains(shared.most) && shared.most < alignment
            && sums == (alignedBytes, bytes)
    }

    private static let most = UInt64(Int64.max) / 2

    /// All of it in bytes, without the gap that alignment may make.
    package var total: UInt64 { bytes + alignedBytes }

    /// Where it begins and ends if all before `next` is taken; nil where that is too far for a number.
    package func place(from next: UInt64) -> (start: UInt64, end: UInt64)? {
        guard shared == nil else { return placeShared(from: next) }
        let isAligned = next % alignment == 0
        guard alignedBytes > 0, !isAligned else { return next.adding(total).map { (next, $0) } }
        guard let behind = next.adding(bytes)?.roundedUp(to: alignment),
            let end = behind.adding(alignedBytes)
        else { return nil }
        return (bytes == 0 ? behind : next, end)
    }

    /// The same where the layout depends on the place: the end says what the next range has to know.
    private func placeShared(from next: UInt64) -> (start: UInt64, end: UInt64)? {
        guard let shared, next <= UInt64(Int64.max) else { return nil }
        let layout = PackedLayout(
            shared.lengths,
            clusterSize: alignment,
            mostShared: shared.most,
            from: next
        )
        return (layout.start, layout.end)
    }
}

extension TaskControl {
    /// The sign of life of work that takes long without data to count.
    var pulse: Pulse {
        Pulse { () throws(DrayError) in
            if isCancelled { throw DrayError(.cancelled, "stopped on request") }
            progress(0)
        }
    }
}

/// What planning found.
package struct PlanResult: Sendable, Hashable, Codable {
    /// Names the plan: a SHA-256 in hexadecimal over everything that determines it.
    package var planHash: String
    /// How many ranges there are.
    package var rangeCount: Int
    /// The virtual disk's size in bytes.
    package var guestSize: UInt64
    /// How many bytes of data the ranges will read.
    package var dataBytes: UInt64
    /// Where the first reservation starts, for allocated targets.
    package var firstPayload: HostOffset?
    /// Whether ranges get their places in guest order, as packed targets want it; nil says no.
    package var ordersPayload: Bool?
    /// Where later ranges' reservations start anew, in order: for allocated targets of several files.
    package var furtherPayload: [PayloadStart]?
    /// Whether a seal step follows the ranges.
    package var needsSeal: Bool

    /// Names a plan.
    package init(
        planHash: String,
        rangeCount: Int,
        guestSize: UInt64,
        dataBytes: UInt64,
        firstPayload: HostOffset?,
        furtherPayload: [PayloadStart]? = nil,
        needsSeal: Bool
    ) {
        self.planHash = planHash
        self.rangeCount = rangeCount
        self.guestSize = guestSize
        self.dataBytes = dataBytes
        self.firstPayload = firstPayload
        self.furtherPayload = furtherPayload
        self.needsSeal = needsSeal
    }
}

/// Where the reservations of a range and of those behind it start.
package struct PayloadStart: Sendable, Hashable, Codable {
    /// The first of the ranges.
    package let range: Int
    /// The place of the first reservation.
    package let place: HostOffset

    /// Names a start.
    package init(range: Int, place: HostOffset) {
        self.range = range
        self.place = place
    }
}

/// What a range reports. Two attempts at one range report the same.
package struct RangeResult: Sendable, Hashable, Codable {
    /// The guest bytes covered.
    package var range: GuestRange
    /// How many bytes of data were read.
    package var dataBytes: UInt64
    /// Where payload went, for allocated targets.
    package var placement: RangePlacement?
    /// The block digests, where the job wants them.
    package var digest: RangeDigest?
    /// The first guest offset at which two compared images differ in this range.
    package var mismatch: GuestOffset?

    /// Names a result.
    package init(range: GuestRange, dataBytes: UInt64) {
        self.range = range
        self.dataBytes = dataBytes
    }
}

/// What sealing reports.
package struct SealResult: Sendable, Hashable, Codable {
    /// The finished target's length in bytes.
    package var targetLength: UInt64

    /// Names a result.
    package init(targetLength: UInt64) { self.targetLength = targetLength }
}
