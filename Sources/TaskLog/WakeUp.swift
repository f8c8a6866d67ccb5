// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A flag that one thread waits for and any thread raises: how our own threads wait without polling.
///
/// A raised flag stays up until a wait takes it, so that no wake-up is lost between a look and a wait.
@safe
package final class WakeUp: @unchecked Sendable {
    // @unchecked: `mutex` protects `isRaised`; both pointers are constant until deinit.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var isRaised = false

    /// Makes a lowered flag.
    package init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Raises the flag. Cheap where it is up already.
    package func raise() {
        unsafe pthread_mutex_lock(mutex)
        let wasRaised = isRaised
        isRaised = true
        unsafe pthread_mutex_unlock(mutex)
        if !wasRaised { unsafe pthread_cond_broadcast(condition) }
    }

    /// Waits until the flag is up, at most `milliseconds`, and lowers it. Says whether it was up.
    @discardableResult
    package func wait(milliseconds: Int) -> Bool {
        var deadline = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = deadline.tv_nsec + (milliseconds % 1000) * 1_000_000
        deadline.tv_sec += milliseconds / 1000 + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while !isRaised {
            let code = unsafe pthread_cond_timedwait(condition, mutex, &deadline)
            if code == ETIMEDOUT { break }
        }
        defer { isRaised = false }
        return isRaised
    }
}
