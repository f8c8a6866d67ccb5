// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import Synchronization
internal import TaskLog

/// The threads on which a worker's steps run.
final class SlotPool: Sendable {
    /// A step to be run.
    struct Work: Sendable {
        let number: RunNumber
        let task: TaskMessage
        let control: SlotControl
    }

    private struct Queue {
        var work: [Work] = []
        var isClosed = false
    }

    private let queue = Mutex(Queue())
    private let wakeUp = WakeUp()
    private let threads = Mutex<[OwnThread]>([])
    private let living = Atomic(0)
    private let ended = WakeUp()

    /// Starts `count` threads, each of which runs `body` on one piece of work after the other. Where that fails, those that were
    /// started end when the pool is closed.
    func start(_ count: Int, _ body: @escaping @Sendable (Work) -> Void) throws(DrayError) {
        for _ in 0..<count {
            let started = try OwnThread { [self] in
                while let work = next() { body(work) }
                living.subtract(1, ordering: .relaxed)
                ended.raise()
            }
            living.add(1, ordering: .relaxed)
            threads.withLock { $0.append(started) }
        }
    }

    func add(_ work: Work) {
        queue.withLock { $0.work.append(work) }
        wakeUp.raise()
    }

    /// Lets the threads end when nothing is left, and waits for them, but no longer than that: a thread may hang in a system call.
    /// Says whether all have ended; those that have not are left to themselves.
    @discardableResult
    func close(within milliseconds: Milliseconds) -> Bool {
        queue.withLock { $0.isClosed = true }
        wakeUp.raise()
        let deadline = LogClock.monotonicMilliseconds() + milliseconds
        while living.load(ordering: .relaxed) > 0 {
            let rest = deadline - LogClock.monotonicMilliseconds()
            guard rest > 0 else { return false }
            ended.wait(milliseconds: Int(min(rest, 1000)))
        }
        for thread in threads.withLock({ $0 }) { thread.join() }
        return true
    }

    private func next() -> Work? {
        while true {
            let (work, isMore, isClosed) = queue.withLock { queue in
                let work = queue.work.isEmpty ? nil : queue.work.removeFirst()
                return (work, !queue.work.isEmpty, queue.isClosed)
            }
            // The flag wakes one thread at a time: whoever finds more passes it on.
            if isMore || isClosed { wakeUp.raise() }
            if let work { return work }
            if isClosed { return nil }
            wakeUp.wait(milliseconds: 1000)
        }
    }
}
