// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// How much space an image will take: the numbers of `qemu-img measure`.
package struct Measurement: Sendable, Hashable {
    /// Bytes of the image that a conversion makes, as far as can be told beforehand.
    package let required: UInt64
    /// Bytes of the image once the guest has written everywhere.
    package let fullyAllocated: UInt64
    /// Bytes of the source's persistent bitmaps; nil where they cannot be taken along.
    package let bitmaps: UInt64?

    /// Names the numbers.
    package init(required: UInt64, fullyAllocated: UInt64, bitmaps: UInt64? = nil) {
        self.required = required
        self.fullyAllocated = fullyAllocated
        self.bitmaps = bitmaps
    }
}

/// Computes a ``Measurement`` from the source's map, of which it keeps nothing but a count.
///
/// The tables are counted as for a disk that is all data, as qemu does: an image with holes may come out smaller than
/// required.
package struct TargetMeter: Sendable {
    /// A name as long as one can be, with what the extents' names have behind it: nobody knows yet what the target will be called.
    private static let longestName = String(repeating: "x", count: 250)

    /// The target's allocation unit, in bytes.
    package let clusterSize: UInt64
    /// What the virtual disk takes at most, in bytes.
    private let payload: UInt64
    /// Bytes of all tables and the header.
    private let overhead: UInt64
    /// Whether all payload is required, whatever the source holds.
    private let requiresAll: Bool
    /// The most that a cluster takes, in bytes.
    private let storedSize: UInt64
    private let takesBitmaps: Bool
    private var dataClusters: UInt64 = 0
    /// The first cluster that no data was seen in yet.
    private var nextCluster: UInt64 = 0

    /// A meter for a disk of `guestSize` bytes in `format` with the options of `-o`; `hasSource` tells an image that is to be
    /// converted from a mere size. Fails with `invalid` or `unsupported` for what ``TargetFormats`` would not make.
    package init(
        _ format: ImageFormat,
        guestSize: UInt64,
        options: [FormatOption],
        hasSource: Bool
    ) throws(DrayError) {
        switch format {
        case .raw:
            _ = try RawTarget(guestSize: guestSize, options: options)
            self.init(raw: guestSize.dividedRoundingUp(by: 512) * 512)
        case .qcow2:
            let target = try QCOW2Target(guestSize: guestSize, options: options)
            self.init(target, hasSource: hasSource)
        case .vmdk:
            let target = try VMDKTarget(
                guestSize: guestSize,
                options: options,
                name: Self.longestName
            )
            let descriptor = try target.separateDescriptorLength()
            if target.options.subformat.isFlat {
                self.init(raw: target.guestSize, overhead: descriptor)
            } else {
                self.init(target, overhead: descriptor, hasSource: hasSource)
            }
        case .gzip, .xz, .zstd, .ova: throw notWritten(format)
        }
    }

    private init(raw size: UInt64, overhead: UInt64 = 0) {
        clusterSize = 512
        payload = size
        storedSize = clusterSize
        self.overhead = overhead
        requiresAll = true
        takesBitmaps = false
    }

    private init(_ target: QCOW2Target, hasSource: Bool) {
        let options = target.options
        let geometry = target.geometry
        clusterSize = options.clusterSize
        payload = geometry.clusters * clusterSize
        storedSize = clusterSize
        overhead = geometry.metadataLength
        requiresAll = target.keepsSpace || (hasSource && options.backing != nil)
        takesBitmaps = options.version == 3
    }

    private init(_ target: VMDKTarget, overhead: UInt64, hasSource: Bool) {
        clusterSize = VMDKSparseLayout.grainSize
        let isStream = target.options.subformat.isCompressed
        storedSize = isStream ? UInt64(VMDKStreamEncoder.largestStored) : clusterSize
        payload = target.guestSize.dividedRoundingUp(by: clusterSize) * storedSize
        self.overhead = overhead + target.extents.metadataLength
        requiresAll = hasSource && target.options.backing != nil
        takesBitmaps = false
    }

    /// Counts a stretch of the source that holds data (not zeros). Stretches come in guest order.
    package mutating func addData(_ range: GuestRange) {
        let first = max(range.start.bytes / clusterSize, nextCluster)
        let end = range.end.bytes.dividedRoundingUp(by: clusterSize)
        guard first < end else { return }
        dataClusters += end - first
        nextCluster = end
    }

    /// The numbers for all stretches that were counted. `bitmaps` is the space that the source's bitmaps take, nil where
    /// its format has none.
    package func measurement(bitmaps: UInt64? = nil) -> Measurement {
        Measurement(
            required: overhead + (requiresAll ? payload : dataClusters * storedSize),
            fullyAllocated: overhead + payload,
            bitmaps: takesBitmaps ? bitmaps : nil
        )
    }
}
