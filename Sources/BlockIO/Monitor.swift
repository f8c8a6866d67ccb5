// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// State that threads share and wait for changes of: a lock with a condition. For our own threads only, because waiting blocks.
@safe
package final class Monitor<State>: @unchecked Sendable {
    // @unchecked: `mutex` protects `state`; both pointers are constant until deinit.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    /// Begins with `state`.
    package init(_ state: sending State) {
        self.state = state
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

    /// Looks at the state, and may change it: who waits looks again afterwards only if ``wake()`` is called.
    package func withLock<R, E: Error>(_ body: (inout State) throws(E) -> R) throws(E) -> R {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Wakes everybody who waits.
    package func wake() { unsafe pthread_cond_broadcast(condition) }

    /// Asks `body` again after each ``wake()`` until it answers, at most for `milliseconds` from now; nil when they are over.
    package func wait<R, E: Error>(
        milliseconds: Int,
        _ body: (inout State) throws(E) -> R?
    ) throws(E) -> R? {
        var deadline = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = deadline.tv_nsec + (milliseconds % 1000) * 1_000_000
        deadline.tv_sec += milliseconds / 1000 + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let answer = try body(&state) { return answer }
            let code = unsafe pthread_cond_timedwait(condition, mutex, &deadline)
            if code == ETIMEDOUT { return try body(&state) }
        }
    }
}
