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

    /// Starts `count` threads, each of which runs `body` on one piece of work after the other.
    func start(_ count: Int, _ body: @escaping @Sendable (Work) -> Void) {
        let started = (0..<count).map { _ in
            OwnThread { [self] in
                while let work = next() { body(work) }
            }
        }
        threads.withLock { $0 = started }
    }

    func add(_ work: Work) {
        queue.withLock { $0.work.append(work) }
        wakeUp.raise()
    }

    /// Lets the threads end when nothing is left, and waits for them.
    func close() {
        queue.withLock { $0.isClosed = true }
        wakeUp.raise()
        for thread in threads.withLock({ $0 }) { thread.join() }
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
