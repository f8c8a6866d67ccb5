// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Storage

/// Writes qcow2 images of version 2 and 3.
///
/// The first cluster is the header's and stays zeros until ``seal(_:file:_:_:)``; payload follows, the tables come behind it.
/// Compressed clusters are packed without gaps, whatever host clusters they share, up to what a refcount can count.
/// With preallocation every guest cluster has its place from the start: at its own offset behind the first cluster, or,
/// where subclusters make the difference between stored and merely kept, wherever it is reserved.
package struct QCOW2Target: TargetFormat {
    package let format = ImageFormat.qcow2
    /// The size of the virtual disk in bytes: what was asked for, rounded up to 512.
    package let guestSize: UInt64
    package let placement: Placement
    /// The options.
    package let options: QCOW2Options

    private let header: QCOW2Header
    private let rules: Allocation
    private let codec: QCOW2Codec?
    /// What follows from the disk's size.
    let geometry: QCOW2Geometry

    /// A target for a disk of `guestSize` bytes with the options of `-o`. With a `sparseSize` of 0 it asks for all zeros to
    /// be written; with `compression` clusters are compressed. Fails with `invalid` or `unsupported`, naming the option or the limit.
    package init(
        guestSize: UInt64,
        options: [FormatOption],
        sparseSize: UInt64 = 4096,
        compression: CompressionEffort? = nil
    ) throws(DrayError) {
        guard guestSize <= UnitSize.largestDisk, let size = guestSize.roundedUp(to: 512) else {
            throw DrayError(.invalid, "a disk of \(guestSize) bytes is too large")
        }
        let options = try QCOW2Options(options, guestSize: guestSize)
        self.guestSize = size
        self.options = options
        header = try options.makeHeader(guestSize: size)
        geometry = try QCOW2Geometry(header)
        codec = try compression.map { effort throws(DrayError) in
            try QCOW2Codec(options, effort)
        }
        rules = options.allocation(storesAllZeros: sparseSize == 0, isPacked: codec != nil)
        let isIdentity = options.preallocation != .off && !options.hasExtendedL2
        placement =
            if let codec {
                .packed(codec.packing(rules))
            } else {
                isIdentity ? .identity(start: rules.firstPayload) : .allocated(rules)
            }
        if options.preallocation != .off {
            // What cannot be counted is refused now, not after all payload is written.
            _ = try QCOW2Layout(
                header,
                payloadEnd: rules.firstPayload + payloadLength,
                l1Entries: geometry.l1Entries,
                l2Tables: geometry.l1Entries
            )
        }
    }

    /// The length of the payload of a disk that is all data.
    private var payloadLength: UInt64 { geometry.clusters * header.clusterSize }

    package var keepsSpace: Bool { options.preallocation.takesSpace }

    package func prepare(_ storage: any Storage, file: Int) throws(DrayError) {
        if !storage.isZeroInitialized {
            try storage.zero(HostOffset(0), length: header.clusterSize, mayPunch: false)
        }
        try options.preallocation.apply(to: storage, rules.firstPayload, length: payloadLength)
    }

    package func seal(
        _ storage: any Storage,
        file: Int,
        _ ranges: [RangePlacement],
        _ identity: TargetIdentity
    ) throws(DrayError) {
        do throws(DrayError) {
            let map = try makeMap(ranges)
            try QCOW2Sealer(storage, header, map, l1Entries: geometry.l1Entries).seal()
        } catch {
            throw error.at(file: storage.name)
        }
    }

    package func makeEncoder() -> any ClusterEncoder {
        guard let codec else { preconditionFailure("only packed targets encode clusters") }
        return codec.makeEncoder()
    }

    private func makeMap(_ ranges: [RangePlacement]) throws(DrayError) -> ClusterMap {
        guard let rules = placement.allocation else {
            return ClusterMap(identity: geometry.clusters, self.rules, l2Entries: header.l2Entries)
        }
        if options.version == 2 && rules.marksZeros {
            for placement in ranges where placement.runs.contains(where: { $0.state == .zero }) {
                let place = placement.range.start.bytes
                throw DrayError(.bug, "the range at \(place) marks zeros, which version 2 cannot")
            }
        }
        return try ClusterMap(
            ranges,
            PlacementCheck(
                rules: rules,
                guestSize: guestSize,
                largestStream: codec == nil ? nil : header.clusterSize - 1
            ),
            l2Entries: header.l2Entries,
            fillsHoles: options.preallocation != .off
        )
    }
}

extension QCOW2Options {
    /// The rules for the data plane.
    fileprivate func allocation(storesAllZeros: Bool, isPacked: Bool) -> Allocation {
        let subcluster = clusterSize / UInt64(QCOW2.subclusters)
        return Allocation(
            firstPayload: HostOffset(clusterSize),
            clusterSize: clusterSize,
            granule: hasExtendedL2 && !isPacked ? subcluster : clusterSize,
            marksZeros: backing != nil || storesAllZeros,
            storedZeros: storesAllZeros ? .all : version == 2 && backing != nil ? .hiding : .none,
            payloadLimit: HostOffset(
                isPacked ? QCOW2.compressedReach(clusterSize: clusterSize) : UInt64(Int64.max)
            ),
            // In a cluster of 2 MiB there is no room for as many streams as 16 bits can count.
            mostShared: isPacked && refcountBits < 16 ? (1 << refcountBits) - 1 : .max
        )
    }

    /// The header without tables. Fails with `invalid` where the backing file's name does not fit into the first cluster.
    fileprivate func makeHeader(guestSize: UInt64) throws(DrayError) -> QCOW2Header {
        let bits = UInt32(clusterSize.trailingZeroBitCount)
        var header = QCOW2Header(version: version, clusterBits: bits, size: guestSize)
        header.refcountOrder = UInt32(refcountBits.trailingZeroBitCount)
        if hasLazyRefcounts { header.compatible.insert(.lazyRefcounts) }
        if hasExtendedL2 { header.incompatible.insert(.extendedL2) }
        if compression != .zlib {
            header.incompatible.insert(.compressionType)
            header.compression = compression
        }
        if let backing {
            header.backingName = [UInt8](backing.name.utf8)
            let format = [UInt8]((backing.format ?? "").utf8)
            header.extensions.append(.init(QCOW2.extensionBackingFormat, format))
        }
        let plain = try header.serialized()
        let names = QCOW2FeatureName.encode(QCOW2FeatureName.table)
        // The names help readers to report a bit that they do not know; with small clusters there is no room for them.
        if version == 3 && plain.count + 8 + names.count <= clusterSize {
            header.extensions.append(.init(QCOW2.extensionFeatureNames, names))
        }
        return header
    }
}
