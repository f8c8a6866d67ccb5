// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CRdKafka
internal import Glibc
internal import Synchronization

/// What a port's thread waits for: an eventfd(2) that librdkafka's queues and other threads of ours raise.
///
/// A queue raises it when it gets something while it is empty. So: lower it, look at the queues until they are empty, then wait.
final class EventSignal: Sendable {
    /// The descriptor, for the queues.
    let descriptor: Int32
    private let isWoken = Atomic(false)

    init() {
        descriptor = dray_eventfd()
        precondition(descriptor >= 0, "the system has no descriptor left for an event (\(errno))")
    }

    deinit { close(descriptor) }

    /// Forgets what queues have said. What ``wake()`` said stays.
    func lower() {
        var count: UInt64 = 0
        // Non-blocking: a failure says that it was lowered already.
        _ = unsafe read(descriptor, &count, MemoryLayout<UInt64>.size)
    }

    /// Makes this wait, or the next one, return at once.
    func wake() {
        isWoken.store(true, ordering: .releasing)
        var one: UInt64 = 1
        // A full counter fails, and is raised.
        _ = unsafe write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// Waits until it is raised or was woken, at most `milliseconds`.
    func wait(milliseconds: Int) {
        if isWoken.exchange(false, ordering: .acquiring) { return }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // An interrupted wait is a short one: the caller looks and waits again.
        _ = unsafe poll(&waiting, 1, Int32(clamping: milliseconds))
        isWoken.store(false, ordering: .relaxed)
    }
}
