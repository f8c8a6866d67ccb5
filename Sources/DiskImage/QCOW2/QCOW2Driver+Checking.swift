// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Storage

extension QCOW2Driver {
    package func check() throws(DrayError) -> CheckReport? {
        throw DrayError(.unsupported, "not there yet", file: storage.name)
    }

    package func information() throws(DrayError) -> FormatInformation { FormatInformation() }
}
