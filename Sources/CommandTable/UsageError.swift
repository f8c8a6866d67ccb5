// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A command line that the table does not allow.
package struct UsageError: Error, Sendable, Hashable {
    /// What is wrong, without the program's name and without a full stop.
    package let message: String

    /// Makes an error.
    package init(_ message: String) { self.message = message }
}
