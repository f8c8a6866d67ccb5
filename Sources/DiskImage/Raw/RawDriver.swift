// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Storage

/// Reads raw images: the guest's bytes as they are, in the storage's own map of data and holes.
package final class RawDriver: ImageDriver {
    package let format = ImageFormat.raw
    package let storage: any Storage

    /// A driver for `storage`, whole.
    package init(storage: any Storage) { self.storage = storage }

    package var storages: [any Storage] { [storage] }
    /// The storage's length, to the byte.
    package var guestSize: UInt64 { storage.length }
    package var backing: BackingReference? { nil }

    package func map(_ offset: GuestOffset, limit: UInt64) throws(DrayError) -> LayerExtent {
        let host = HostOffset(offset.bytes)
        let run = try storage.extent(at: host, limit: min(limit, guestSize - offset.bytes))
        return LayerExtent(
            length: run.length,
            place: run.isData ? .data(storage, host) : .zero(storage, host)
        )
    }

    package func decode(
        _ cluster: CompressedCluster,
        into buffer: AlignedBuffer,
        at start: Int
    ) throws(DrayError) {
        throw DrayError(.bug, "raw images have no compressed clusters", file: storage.name)
    }

    package func check() throws(DrayError) -> CheckReport? { nil }

    package func information() throws(DrayError) -> FormatInformation { FormatInformation() }
}
