// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import Digest
import DiskImage
import Fleet
import Synchronization

/// A runner without images: each range takes a place of its own size, and the seal sees whether all fits.
final class FakeRunner: JobRunner {
    struct Record {
        var plans = 0
        var runs: [Int: Int] = [:]
        var sealed: [RangeResult] = []
        var seals = 0
        var discards = 0
    }

    static let firstPayload: UInt64 = 1 << 20
    static let rangeSize: UInt64 = 32 << 20

    let count: Int
    let record = Mutex(Record())
    let planHash: String
    /// Whether places are in guest order.
    let isOrdered: Bool
    /// Called when the job is planned, with how often it was before; throws to make it fail.
    let onPlan: @Sendable (Int, any TaskControl) throws(DrayError) -> Void
    /// Called when a range runs; throws to make it fail.
    let onRun: @Sendable (Int, any TaskControl) throws(DrayError) -> Void

    init(
        count: Int,
        planHash: String = "plan",
        isOrdered: Bool = false,
        onRun: @escaping @Sendable (Int, any TaskControl) throws(DrayError) -> Void = { _, _ in },
        onPlan: @escaping @Sendable (Int, any TaskControl) throws(DrayError) -> Void = { _, _ in }
    ) {
        self.count = count
        self.planHash = planHash
        self.isOrdered = isOrdered
        self.onPlan = onPlan
        self.onRun = onRun
    }

    static func bytes(_ index: Int) -> UInt64 { UInt64(index % 7 + 1) * 65_536 }

    func plan(_ job: JobOrder, _ control: any TaskControl) throws(DrayError) -> PlanResult {
        let before = record.withLock { record in
            defer { record.plans += 1 }
            return record.plans
        }
        try onPlan(before, control)
        var plan = PlanResult(
            planHash: planHash,
            rangeCount: count,
            guestSize: UInt64(count) * Self.rangeSize,
            dataBytes: (0..<count).reduce(0) { $0 + Self.bytes($1) },
            firstPayload: job.spec.target == nil ? nil : HostOffset(Self.firstPayload),
            needsSeal: job.spec.target != nil
        )
        if isOrdered, job.spec.target != nil { plan.ordersPayload = true }
        return plan
    }

    func run(
        _ job: JobOrder,
        planHash: String,
        index: Int,
        _ control: any TaskControl
    ) throws(DrayError) -> RangeResult {
        record.withLock { $0.runs[index, default: 0] += 1 }
        try onRun(index, control)
        if control.isCancelled { throw DrayError(.cancelled, "stopped") }
        let start = GuestOffset(UInt64(index) * Self.rangeSize)
        let range = GuestRange(start, length: Self.rangeSize)
        var result = RangeResult(range: range, dataBytes: Self.bytes(index))
        if job.spec.target != nil {
            let place = try control.reserve(SpaceRequest(Self.bytes(index)))
            let runs = [RangePlacement.Run(.data, index % 7 + 1), RangePlacement.Run(.hole, 505)]
            result.placement = RangePlacement(range: range, reservation: place, runs: runs)
        }
        if job.spec.digest != nil {
            let digest = [UInt8](repeating: UInt8(truncatingIfNeeded: index), count: 32)
            result.digest = RangeDigest(runs: [.digests(digest), .zeroBlocks(511)])
        }
        control.progress(Self.bytes(index))
        return result
    }

    func seal(
        _ job: JobOrder,
        planHash: String,
        results: [RangeResult],
        _ control: any TaskControl
    ) throws(DrayError) -> SealResult {
        record.withLock {
            $0.sealed = results
            $0.seals += 1
        }
        return SealResult(targetLength: 77)
    }

    func discard(_ job: JobOrder) throws(DrayError) {
        record.withLock { $0.discards += 1 }
    }
}

/// Folds digests to a text that shows their order.
final class FakeFolder: DigestFolding {
    private var hash: UInt64 = 0

    func fold(_ range: RangeDigest, length: UInt64) throws(DrayError) {
        for run in range.runs {
            switch run {
            case .zeroBlocks(let count): hash = hash &* 31 &+ count
            case .digests(let bytes): for byte in bytes { hash = hash &* 31 &+ UInt64(byte) }
            }
        }
    }

    func finish(guestSize: UInt64) throws(DrayError) -> String {
        String(hash &* 31 &+ guestSize, radix: 16)
    }
}
