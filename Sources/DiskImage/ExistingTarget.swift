// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Storage

/// An image that is there already and is to be filled (`convert -n`): what it takes to make one like it.
package struct ExistingTarget: Sendable, Hashable {
    /// The virtual disk's size in bytes.
    package let guestSize: UInt64
    /// The creation options that give an image of the same layout.
    package let options: [FormatOption]

    /// Reads the header of the qcow2 image at `path`. Fails with `unsupported` for images that Dray does not write.
    package init(qcow2 path: String) throws(DrayError) {
        let storage = try StorageOpener.open(path, for: .reading, cache: .writeback)
        let driver = try QCOW2Driver(storage: storage, snapshot: nil) { _ throws(DrayError) in
            throw DrayError(
                .unsupported,
                "images with an external data file are not written",
                file: path
            )
        }
        let header = driver.header
        guard header.snapshotCount == 0, header.cryptMethod == 0,
            !header.autoclear.contains(.bitmaps)
        else {
            throw DrayError(
                .unsupported,
                "an image with internal snapshots, bitmaps or encryption is not filled; convert to a new file",
                file: path
            )
        }
        guestSize = header.size
        var options = [
            FormatOption("compat", header.version == 2 ? "0.10" : "1.1"),
            FormatOption("cluster_size", String(header.clusterSize)),
            FormatOption("refcount_bits", String(header.refcountBits)),
        ]
        if header.hasExtendedL2 { options.append(FormatOption("extended_l2", "on")) }
        if header.compression == .zstd { options.append(FormatOption("compression_type", "zstd")) }
        if header.compatible.contains(.lazyRefcounts) {
            options.append(FormatOption("lazy_refcounts", "on"))
        }
        if let backing = header.backing {
            options.append(FormatOption("backing_file", backing.name))
            if let format = backing.format { options.append(FormatOption("backing_fmt", format)) }
        }
        self.options = options
    }
}
