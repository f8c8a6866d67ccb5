// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Lets a fixed number of threads pass: sem_overview(7). For our own threads only, because waiting blocks.
@safe
final class CountingSemaphore: Sendable {
    // The pointer is constant until deinit, and what it points to is made for use by many threads.
    private nonisolated(unsafe) let semaphore: UnsafeMutablePointer<sem_t>

    /// Lets `count` threads pass.
    init(count: Int) {
        unsafe semaphore = .allocate(capacity: 1)
        let result = unsafe sem_init(semaphore, 0, UInt32(count))
        precondition(result == 0, "a semaphore of \(count) is within the system's limits")
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    /// Waits until it may pass.
    func wait() {
        // EINTR: a signal handler ran, nothing was taken.
        while unsafe sem_wait(semaphore) != 0 {}
    }

    /// Lets another pass.
    func signal() { unsafe sem_post(semaphore) }
}
