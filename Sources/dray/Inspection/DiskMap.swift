// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage

/// Walks a disk in qemu-img's terms: sizes are whole sectors of 512 bytes, and a layer's answer counts where it says
/// data or zeros.
struct DiskMap {
    /// The disk's size in bytes, in whole sectors.
    let size: UInt64
    private let layers: [any ImageDriver]
    /// Per layer, whether its file is to be asked about what the layer says is data.
    private let looksBelow: [Bool]

    /// A walk over `image`. Fails with `corrupt` where the size leaves no room for rounding.
    init(_ image: Image) throws(DrayError) {
        layers = image.layers
        size = Self.sectors(image.guestSize)
        looksBelow = try image.layers.map { layer throws(DrayError) in
            try layer.isStorageSparserThanTables()
        }
    }

    /// Calls `body` with every run between `start` and `end`, joined as qemu-img joins them.
    func forEachRun(
        from start: UInt64,
        to end: UInt64,
        _ body: (BlockStatus) throws(DrayError) -> Void
    ) throws(DrayError) {
        var pending: BlockStatus?
        var position = start
        while position < end {
            let next = try status(at: position, limit: end - position)
            position = next.end
            if let run = pending, run.joins(next) {
                pending?.length += next.length
                continue
            }
            if let run = pending { try body(run) }
            pending = next
        }
        if let run = pending { try body(run) }
    }

    /// The run that begins at `start`, at most `limit` bytes long. To a comparison a run is what it is to qemu's: it stops
    /// where qemu's does, so that whether it reaches the disk's end is what qemu would say, and zeros for want of a longer
    /// backing image are that image's, not nobody's.
    func status(
        at start: UInt64,
        limit: UInt64,
        toCompare: Bool = false
    ) throws(DrayError) -> BlockStatus {
        var length = min(limit, size - start)
        for (depth, layer) in layers.enumerated() {
            let available = Self.sectors(layer.guestSize) - start
            let slice = toCompare ? lastSlice(of: layer, start) : length
            var answer = try answer(of: layer, start, min(length, available, slice))
            length = answer.length
            answer.depth = depth
            guard !answer.isData, !answer.isZero else {
                let looks = looksBelow[depth] || Self.isFlat(layer, start)
                return looks ? try lookBelow(layer, answer) : answer
            }
            let isLast = depth + 1 == layers.count
            let below = isLast ? 0 : Self.sectors(layers[depth + 1].guestSize)
            guard start < below else {
                guard isLast || !toCompare else {
                    (answer.isPresent, answer.isZero) = (true, true)
                    return answer
                }
                return try Self.nowhere(answer, layer)
            }
        }
        throw DrayError(.bug, "the last layer has no answer", offset: start)
    }

    /// The bytes from `start` to the last stretch of the disk for which qemu reads one slice of an L2 table: its runs end with
    /// the slice. Where the earlier slices end makes no difference.
    private func lastSlice(of layer: any ImageDriver, _ start: UInt64) -> UInt64 {
        guard let image = layer as? QCOW2Driver, size > 0 else { return UInt64.max }
        let last = (size - 1).roundedDown(to: image.sliceCoverage)
        return start < last ? last - start : UInt64.max
    }

    /// What one layer says, in qemu-img's terms.
    private func answer(
        of layer: any ImageDriver,
        _ start: UInt64,
        _ limit: UInt64
    ) throws(DrayError) -> BlockStatus {
        guard start < layer.guestSize else { return tail(of: layer, start, limit) }
        let extent = try layer.map(GuestOffset(start), limit: min(limit, layer.guestSize - start))
        var status = Self.status(extent.place, start, extent.length)
        if layer.format.isStream { (status.offset, status.file) = (nil, nil) }
        // The last sector of a format with tables belongs to the run before the disk's end.
        if layer.format != .raw, status.end == layer.guestSize { status.length = limit }
        return status
    }

    /// The rest of the last sector of a raw image, beyond its end: zeros.
    private func tail(of layer: any ImageDriver, _ start: UInt64, _ limit: UInt64) -> BlockStatus {
        Self.status(.zero(layer.storage, HostOffset(start)), start, limit)
    }

    /// Whether the run is in a flat extent of VMDK: qemu asks the file of such about holes.
    private static func isFlat(_ layer: any ImageDriver, _ start: UInt64) -> Bool {
        guard let disk = layer as? VMDKDriver, start < disk.guestSize else { return false }
        return disk.isFlat(at: GuestOffset(start))
    }

    private static func status(_ place: Place, _ start: UInt64, _ length: UInt64) -> BlockStatus {
        var status = BlockStatus(
            start: start,
            length: length,
            depth: 0,
            isPresent: true,
            isZero: false,
            isData: false
        )
        switch place {
        case .data(let storage, let host):
            status.isData = true
            (status.offset, status.file) = inFile(storage, host)
        case .compressed:
            status.isData = true
        case .zero(let storage, let host):
            status.isZero = true
            if let host { (status.offset, status.file) = inFile(storage, host) }
        case .unallocated:
            status.isPresent = false
        }
        return status
    }

    /// The place as one in a file: what is inside an archive has its place there.
    private static func inFile(
        _ storage: any Storage,
        _ host: HostOffset
    ) -> (UInt64, String) {
        guard let slice = storage as? StorageSlice else { return (host.bytes, storage.name) }
        return (host.bytes + slice.start, slice.base.name)
    }

    /// The answer about a run that no layer has: zeros, at a place where its cluster has one all the same.
    private static func nowhere(
        _ status: BlockStatus,
        _ layer: any ImageDriver
    ) throws(DrayError) -> BlockStatus {
        var status = status
        status.isZero = true
        guard let image = layer as? QCOW2Driver, image.header.hasExtendedL2,
            status.start < image.guestSize
        else { return status }
        let space = try image.space(
            ofUnallocated: GuestOffset(status.start),
            limit: status.length
        )
        status.length = space.length
        status.offset = space.host?.bytes
        status.file = space.host == nil ? nil : image.storages.last?.name
        return status
    }

    /// Asks the file about a run that the layer says is data, where holes are to be expected in it.
    private func lookBelow(
        _ layer: any ImageDriver,
        _ status: BlockStatus
    ) throws(DrayError) -> BlockStatus {
        guard status.isData, let offset = status.offset,
            let storage = layer.storages.first(where: { $0.name == status.file })
        else { return status }
        var status = status
        guard offset < storage.length else {
            status.isZero = true
            return status
        }
        let limit = min(status.length, storage.length - offset)
        let extent = try storage.extent(at: HostOffset(offset), limit: limit)
        status.length = extent.length
        status.isZero = !extent.isData
        return status
    }

    private static func sectors(_ bytes: UInt64) -> UInt64 {
        // Virtual sizes are far below the largest number.
        bytes.roundedUp(to: 512) ?? bytes
    }
}
