// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import Digest
import DiskImage
import Fleet
import TestSupport

/// A job of a simulation, with what is to become of it.
struct SimulatedJob {
    static let firstPayload: UInt64 = 1000
    static let rangeSize: UInt64 = 65_536

    let order: JobOrder
    let count: Int
    let priority: JobPriority
    /// Whether its ranges get their places in guest order.
    let isOrdered: Bool
    /// A range that kills its worker.
    var poison: Int?
    /// A range that fails for good.
    var permanent: Int?
    /// Whether someone cancels it.
    var isCancelled = false
    var target = SimulatedTarget()
    /// Whether the sealer found every range where it should be.
    var sealedWhole = true
    /// Whether the plan step made a target.
    var hasBegun = false

    init(number: Int, faults: Faults, _ random: inout SeededGenerator) {
        let converts = Int.random(in: 0..<4, using: &random) > 0
        var spec = JobSpec(kind: converts ? .convert : .checksum, sources: [SourceSpec(path: "s")])
        if converts { spec.target = TargetSpec(path: "t\(number)", format: .qcow2) }
        spec.digest = "fake"
        order = JobOrder(id: "job-\(number)", spec: spec)
        count = Int.random(in: 0...10, using: &random)
        isOrdered = converts && number % 2 == 1
        priority = JobPriority.allCases.randomElement(using: &random) ?? .normal
        guard count > 0 else { return }
        let victim = Int.random(in: 0..<count, using: &random)
        if Int.random(in: 0..<100, using: &random) < faults.poison { poison = victim }
        if Int.random(in: 0..<100, using: &random) < faults.permanent { permanent = victim }
    }

    var converts: Bool { order.spec.target != nil }

    var plan: PlanResult {
        var plan = PlanResult(
            planHash: "plan-\(order.id)",
            rangeCount: count,
            guestSize: UInt64(count) * Self.rangeSize,
            dataBytes: UInt64(count) * 10,
            firstPayload: converts ? HostOffset(Self.firstPayload) : nil,
            needsSeal: converts
        )
        if isOrdered { plan.ordersPayload = true }
        return plan
    }

    /// Whether a range has something to write: in an ordered job not all have.
    func needsPlace(_ index: Int) -> Bool { converts && !(isOrdered && index % 5 == 3) }

    /// The place that a range asks for.
    func space(_ index: Int) -> SpaceRequest {
        isOrdered && index % 3 == 1
            ? SpaceRequest(0, alignedBytes: Self.length(index), alignment: 64)
            : SpaceRequest(Self.length(index))
    }

    /// Whether places are what an ordered job's must be: they follow from the sizes alone.
    func areInOrder(_ places: [Int: UInt64]) -> Bool {
        guard isOrdered else { return true }
        var next = Self.firstPayload
        for index in 0..<count where needsPlace(index) {
            next = next.roundedUp(to: space(index).alignment) ?? next
            guard places[index] == next else { return false }
            next += Self.length(index)
        }
        return true
    }

    static func length(_ index: Int) -> UInt64 { UInt64(100 + index * 7) }

    func result(_ index: Int, place: UInt64?) -> RangeResult {
        let start = GuestOffset(UInt64(index) * Self.rangeSize)
        let range = GuestRange(start, length: Self.rangeSize)
        var result = RangeResult(range: range, dataBytes: 10)
        result.digest = RangeDigest(runs: [.digests([UInt8(index), 1, 2, 3])])
        if converts {
            result.placement = RangePlacement(
                range: range,
                reservation: place.map { HostOffset($0) },
                runs: [RangePlacement.Run(.data, 1)]
            )
        }
        return result
    }

    var digest: String {
        let folder = SimulatedFolder()
        for index in 0..<count { folder.add([UInt8(index), 1, 2, 3]) }
        return folder.text(plan.guestSize)
    }
}

/// Folds digests to a text that shows their order.
final class SimulatedFolder: DigestFolding {
    private var hash: UInt64 = 14_695_981_039

    func add(_ bytes: [UInt8]) {
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
    }

    func text(_ size: UInt64) -> String { String(hash ^ size, radix: 16) }

    func fold(_ range: RangeDigest, length: UInt64) throws(DrayError) {
        for case .digests(let bytes) in range.runs { add(bytes) }
    }

    func finish(guestSize: UInt64) throws(DrayError) -> String { text(guestSize) }
}
