// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Glibc
internal import Synchronization

/// A thread of our own: blocking work never runs on Swift's cooperative pool.
@safe
package final class OwnThread: @unchecked Sendable {
    // @unchecked: `handle` is written once in init, before the object is shared, and only read afterwards.
    private var handle = pthread_t()
    private let isJoined = Atomic(false)

    /// Starts a thread that runs `body`. Fails with `resource` where the system has no room for one more.
    package init(_ body: @escaping @Sendable () -> Void) throws(DrayError) {
        let start = unsafe Unmanaged.passRetained(ThreadStart(body: body))
        let code = unsafe pthread_create(
            &handle,
            nil,
            { context in
                // The retain made before pthread_create is taken over here, on the new thread.
                if let context = unsafe context {
                    let start = unsafe Unmanaged<ThreadStart>.fromOpaque(context)
                        .takeRetainedValue()
                    start.body()
                }
                return nil
            },
            unsafe start.toOpaque()
        )
        guard code != 0 else { return }
        unsafe start.release()
        throw DrayError(.resource, "cannot start another thread", errno: code)
    }

    /// Waits until the thread has ended. Once.
    package func join() {
        guard !isJoined.exchange(true, ordering: .relaxed) else { return }
        pthread_join(handle, nil)
    }
}

/// What a new thread is to do.
private final class ThreadStart: Sendable {
    let body: @Sendable () -> Void

    init(body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}
