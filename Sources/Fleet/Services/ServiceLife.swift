// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Synchronization
internal import TaskLog

/// What became of a service whose log failed.
package enum ServiceFailure: Sendable {
    /// It starts afresh after a pause.
    case restarting(DrayError, after: Milliseconds)
    /// It is over because the log is.
    case broken(DrayError)
}

/// The life of a role: a thread of its own that joins a group, serves until it is to stop, and begins afresh where the log failed
/// for a while.
final class ServiceLife: Sendable {
    /// Serves a port until ``isStopping``, closes it, and throws what made it impossible. The number is that of this beginning, from 1.
    typealias Serving = @Sendable (any LogPort, Int) throws(DrayError) -> Void

    private let log: any TaskLog
    private let subscription: LogSubscription
    private let restart: RestartPolicy?
    private let onFailure: @Sendable (ServiceFailure) -> Void
    private let stopping = Atomic(false)
    private let stopFlag = WakeUp()
    private let port = Mutex<(any LogPort)?>(nil)
    private let thread = Mutex<OwnThread?>(nil)

    /// A life that has not begun. Without `restart` the first failure is its end. `onFailure` is called on its thread.
    init(
        log: any TaskLog,
        subscription: LogSubscription,
        restart: RestartPolicy?,
        onFailure: @escaping @Sendable (ServiceFailure) -> Void
    ) {
        self.log = log
        self.subscription = subscription
        self.restart = restart
        self.onFailure = onFailure
    }

    /// Whether the service is to end.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    /// Joins the group and starts the thread.
    func start(_ serve: @escaping Serving) throws(DrayError) {
        let opened = try open()
        do throws(DrayError) {
            let started = try OwnThread { [self] in run(opened, serve) }
            thread.withLock { $0 = started }
        } catch {
            opened.close()
            throw error
        }
    }

    /// Has the service end, and waits for that.
    func stop() {
        stopping.store(true, ordering: .relaxed)
        stopFlag.raise()
        port.withLock { $0 }?.wake()
        thread.withLock { $0.take() }?.join()
    }

    private func open() throws(DrayError) -> any LogPort {
        let opened = try log.open(subscription)
        port.withLock { $0 = opened }
        return opened
    }

    private func run(_ first: any LogPort, _ serve: Serving) {
        var opened: (any LogPort)? = first
        var pauses = restart.map { RestartPauses($0) }
        var beginnings = 0
        while !isStopping {
            do throws(DrayError) {
                let port: any LogPort
                if let waiting = opened { port = waiting } else { port = try open() }
                opened = nil
                beginnings += 1
                return try serve(port, beginnings)
            } catch {
                guard error.kind == .resource, let pause = pauses?.next() else {
                    return onFailure(.broken(error))
                }
                onFailure(.restarting(error, after: pause))
                stopFlag.wait(milliseconds: Int(pause))
            }
        }
        opened?.close()
    }
}
