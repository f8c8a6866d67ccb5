// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// A sign of life from work that may take long, and a chance to end it: called now and then, on the thread that works.
package struct Pulse: Sendable {
    private let body: @Sendable () throws(DrayError) -> Void

    /// Calls `body`, which throws `cancelled` to end the work.
    package init(_ body: @escaping @Sendable () throws(DrayError) -> Void) { self.body = body }

    /// For work that nobody follows.
    package static let unheeded = Pulse { () throws(DrayError) in }

    /// Gives the sign.
    package func beat() throws(DrayError) { try body() }
}
