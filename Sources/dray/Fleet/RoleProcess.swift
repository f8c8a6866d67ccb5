// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Fleet
internal import Synchronization
internal import TaskLog

/// A long-running role as a process: runs until a signal asks it to stop, or its log is broken for good.
final class RoleProcess: Sendable {
    private let failure = Mutex<DrayError?>(nil)
    private let wakeUp = WakeUp()

    /// Takes note of what happened to the role's log: it may be the end of the role.
    func note(_ failure: ServiceFailure, _ lines: ServiceLog) {
        switch failure {
        case .restarting(let error, let pause):
            lines.write(
                .warning,
                "starting afresh",
                ["error": error.description, "after_ms": String(pause)]
            )
        case .broken(let error):
            self.failure.withLock { $0 = $0 ?? error }
            wakeUp.raise()
        }
    }

    /// Waits for a signal, or throws what ended the role.
    func wait(_ signals: StopSignals) throws -> Int32 {
        while true {
            if let error = failure.withLock({ $0 }) { throw error }
            if let signal = signals.received { return signal }
            wakeUp.wait(milliseconds: 200)
        }
    }
}
