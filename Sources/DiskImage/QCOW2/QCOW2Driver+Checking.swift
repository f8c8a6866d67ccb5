// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

extension QCOW2Driver {
    /// Verifies the whole image, whichever snapshot it was opened for. Takes at most 192 MiB for the counts, and fails with
    /// `unsupported` where the file has too many clusters for that.
    package func check() throws(DrayError) -> CheckReport? {
        var checker = try QCOW2Checker(self)
        return try checker.run()
    }
}
