// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// A flag that one thread waits for and any thread raises: how our own threads wait without polling.
///
/// A raised flag stays up until a wait takes it, so that no wake-up is lost between a look and a wait.
package final class WakeUp: Sendable {
    private let isRaised = Monitor(false)

    /// Makes a lowered flag.
    package init() {}

    /// Raises the flag. Cheap where it is up already.
    package func raise() {
        let wasRaised = isRaised.withLock { flag in
            defer { flag = true }
            return flag
        }
        if !wasRaised { isRaised.wake() }
    }

    /// Waits until the flag is up, at most `milliseconds`, and lowers it. Says whether it was up.
    @discardableResult
    package func wait(milliseconds: Int) -> Bool {
        let wasRaised = isRaised.wait(milliseconds: milliseconds) { flag in
            defer { flag = false }
            return flag ? true : nil
        }
        return wasRaised ?? false
    }
}
