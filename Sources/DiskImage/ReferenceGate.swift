// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Decides which outside files an image may name: backing images, data files, extents. The only way to a second file.
package protocol ReferenceGate: Sendable {
    /// The path to open for `name`, which the image at `referrer` names, or an error of kind `refused`.
    ///
    /// Names that look like a protocol (`nbd:`, `json:`, `http://`) are refused by every gate.
    func resolve(_ name: String, referrer: String) throws(DrayError) -> String

    /// The directories, without links, below which every file that is opened must really lie, looked at once it is open: nobody can
    /// exchange it then. Nil where that does not matter.
    var confinement: [String]? { get }
}

extension ReferenceGate {
    package var confinement: [String]? { nil }
}
