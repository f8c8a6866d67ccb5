// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// A storage that is only read: what changes it fails as a bug.
package protocol ReadOnlyStorage: Storage {}

extension ReadOnlyStorage {
    package func write(_ offset: HostOffset, from buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        throw isReadOnly
    }

    package func zero(_ offset: HostOffset, length: UInt64, mayPunch: Bool) throws(DrayError) {
        throw isReadOnly
    }

    package func reserve(_ offset: HostOffset, length: UInt64) throws(DrayError) {
        throw isReadOnly
    }

    package func resize(_ length: UInt64) throws(DrayError) { throw isReadOnly }

    package func flush() throws(DrayError) { throw isReadOnly }

    private var isReadOnly: DrayError {
        DrayError(.bug, "this storage is only read", file: name)
    }
}
