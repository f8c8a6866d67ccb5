// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Something that a test needs and could not do.
package struct SupportError: Error, CustomStringConvertible {
    /// What, and why not.
    package let description: String

    /// Makes an error.
    package init(_ description: String) { self.description = description }
}
