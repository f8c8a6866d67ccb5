// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import Synchronization
internal import TaskLog

/// What a running step may ask of its worker. The step's thread calls it; the worker's thread answers.
final class SlotControl: TaskControl {
    private struct Answer {
        var place: HostOffset?
    }

    private let answer = Mutex(Answer())
    private let wakeUp = WakeUp()
    private let isStopped = Atomic(false)
    private let bytes = Atomic<UInt64>(0)
    private let calls = Atomic<UInt64>(0)
    private let leaseEnd: Atomic<Milliseconds>
    private let outside: CancelToken
    private let meter: ProgressMeter
    private let ask: @Sendable (SpaceRequest) -> Void

    /// The control of a step that may go on until `leaseEnd`, by ``LogClock/monotonicMilliseconds()``.
    init(
        leaseEnd: Milliseconds = .max,
        outside: CancelToken,
        meter: ProgressMeter,
        ask: @escaping @Sendable (SpaceRequest) -> Void
    ) {
        self.leaseEnd = Atomic(leaseEnd)
        self.outside = outside
        self.meter = meter
        self.ask = ask
    }

    var isCancelled: Bool {
        if isLeaseOver { stop() }
        return isStopped.load(ordering: .relaxed) || outside.isCancelled
    }

    private var isLeaseOver: Bool {
        let end = leaseEnd.load(ordering: .relaxed)
        return end != .max && LogClock.monotonicMilliseconds() > end
    }

    /// How many bytes of data the step has done.
    var bytesDone: UInt64 { bytes.load(ordering: .relaxed) }

    /// Counts what the step says of its progress, also where that is not a matter of data.
    var signs: UInt64 { calls.load(ordering: .relaxed) }

    func reserve(_ space: SpaceRequest) throws(DrayError) -> HostOffset {
        ask(space)
        while true {
            if isCancelled { throw DrayError(.cancelled, "the job was stopped") }
            if let place = answer.withLock({ $0.place }) { return place }
            wakeUp.wait(milliseconds: 100)
        }
    }

    func progress(_ more: UInt64) {
        calls.add(1, ordering: .relaxed)
        bytes.add(more, ordering: .relaxed)
        meter.add(more)
    }

    func place(_ offset: HostOffset) {
        answer.withLock { $0.place = offset }
        wakeUp.raise()
    }

    /// The step may go on until then.
    func renew(until end: Milliseconds) { leaseEnd.store(end, ordering: .relaxed) }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        wakeUp.raise()
    }

    /// The step will be run again: what it did does not count.
    func takeBack() { meter.remove(bytesDone) }
}

/// Asks for a stop from outside: one flag, looked at once a chunk. Setting it is safe in any thread.
package final class CancelToken: Sendable {
    private let flag = Atomic(false)

    /// Makes a token that asks for nothing yet.
    package init() {}

    /// Whether a stop is asked for.
    package var isCancelled: Bool { flag.load(ordering: .relaxed) }

    /// Asks for a stop.
    package func cancel() { flag.store(true, ordering: .relaxed) }
}

/// How many bytes of data are done, of how many: a few atomics, read whenever someone wants to show them.
package final class ProgressMeter: Sendable {
    private let doneBytes = Atomic<UInt64>(0)
    private let totalBytes = Atomic<UInt64>(0)

    /// Makes a meter at zero.
    package init() {}

    /// Bytes of data done.
    package var done: UInt64 { doneBytes.load(ordering: .relaxed) }

    /// Bytes of data to do in all; 0 until the job is planned.
    package var total: UInt64 { totalBytes.load(ordering: .relaxed) }

    func add(_ bytes: UInt64) { doneBytes.add(bytes, ordering: .relaxed) }

    func remove(_ bytes: UInt64) { doneBytes.subtract(bytes, ordering: .relaxed) }

    func begin(total: UInt64, done: UInt64) {
        totalBytes.store(total, ordering: .relaxed)
        doneBytes.add(done, ordering: .relaxed)
    }
}
