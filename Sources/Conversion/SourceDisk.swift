// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import DiskImage
package import Storage

/// What a job reads: one image, or several one behind the other.
///
/// Where several are concatenated, each starts at a multiple of 512 bytes, as disks are made of sectors;
/// a gap before it reads as zeros.
package struct SourceDisk: Sendable {
    /// The images, in order.
    package let images: [Image]
    /// Where each image starts.
    private let starts: [UInt64]
    private let holes = HostHoles()
    /// The size in bytes.
    package let guestSize: UInt64

    /// How much memory a thread needs that reads the disk, beside the buffer that it reads into, in bytes.
    var readingMemory: Int { images.flatMap(\.layers).map(\.readingMemory).max() ?? 0 }
    /// How much the threads that read it need together, in bytes: of its streams one at a time is decoded where they take much.
    var sharedMemory: Int { images.flatMap(\.layers).map(\.sharedMemory).max() ?? 0 }

    /// Joins `images`, of which there is at least one. The size is rounded up to a multiple of `sector` bytes: what is
    /// added reads as zeros. Fails with `unsupported` beyond the largest disk.
    package init(_ images: [Image], sector: UInt64 = 1) throws(DrayError) {
        var starts: [UInt64] = []
        var end: UInt64 = 0
        for image in images {
            guard let start = end.roundedUp(to: 512), let next = start.adding(image.guestSize),
                next <= UnitSize.largestDisk
            else {
                throw DrayError(
                    .unsupported,
                    "the disk would be larger than 2^63 bytes",
                    file: image.path
                )
            }
            starts.append(start)
            end = next
        }
        self.images = images
        self.starts = starts
        guestSize = end.roundedUp(to: sector) ?? end
    }

    /// Where the bytes from `offset` live: a run of at most `limit` bytes.
    ///
    /// Only the first `depth` layers of an image are asked: see ``Image/map(_:limit:depth:)``. With `findsHoles`, data that the image's file has
    /// only as a hole is zeros.
    package func map(
        _ offset: GuestOffset,
        limit: UInt64,
        depth: Int = Int.max,
        findsHoles: Bool = true
    ) throws(DrayError) -> SourceExtent {
        let index = image(at: offset)
        let image = images[index]
        let inside = offset.bytes - starts[index]
        guard inside < image.guestSize else {
            let end = index + 1 < starts.count ? starts[index + 1] : guestSize
            let range = GuestRange(offset, length: min(limit, end - offset.bytes))
            let gap = Extent(range: range, depth: 0, place: .zero(image.layers[0].storage, nil))
            return SourceExtent(range: range, extent: gap, image: image)
        }
        var extent = try image.map(GuestOffset(inside), limit: limit, depth: depth)
        if findsHoles { extent = try holes.refine(extent, of: image.layers[extent.depth]) }
        let range = GuestRange(offset, length: extent.range.length)
        return SourceExtent(range: range, extent: extent, image: image)
    }

    /// Calls `body` with each run of `range` in order.
    package func forEachExtent(
        in range: GuestRange,
        depth: Int = Int.max,
        findsHoles: Bool = true,
        _ body: (SourceExtent) throws(DrayError) -> Void
    ) throws(DrayError) {
        var position = range.start
        while position < range.end {
            let rest = range.end.bytes - position.bytes
            let run = try map(position, limit: rest, depth: depth, findsHoles: findsHoles)
            try body(run)
            position = run.range.end
        }
    }

    /// Runs `body`, in which the calling thread reads `range` from its first byte to its last: images that can be read in order only
    /// know whom they decode for. What takes long then calls `pulse`.
    package func reading<R>(
        _ range: GuestRange,
        _ pulse: Pulse,
        _ body: () throws(DrayError) -> R
    ) throws(DrayError) -> R {
        var begun: [(layer: any ImageDriver, id: Int)] = []
        for (image, start) in zip(images, starts) {
            let inside = (range.start.bytes..<range.end.bytes)
                .clamped(to: start..<start + image.guestSize)
            guard !inside.isEmpty else { continue }
            let part = GuestRange(
                GuestOffset(inside.lowerBound - start),
                length: inside.upperBound - inside.lowerBound
            )
            let layer = image.layers[0]
            if let id = layer.beginReading(part, pulse) { begun.append((layer, id)) }
        }
        defer { for (layer, id) in begun { layer.endReading(id) } }
        return try body()
    }

    /// What tells the present content of all storages from another.
    package func identities() throws(DrayError) -> [StorageIdentity] {
        var all: [StorageIdentity] = []
        for image in images {
            for storage in image.storages { all.append(try storage.identity()) }
        }
        return all
    }

    private func image(at offset: GuestOffset) -> Int {
        var low = 0
        var high = starts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= offset.bytes { low = middle } else { high = middle }
        }
        return low
    }
}

/// A run of the disk in one state.
package struct SourceExtent: Sendable {
    /// Where it is on the disk.
    package let range: GuestRange
    /// The same run as its image names it.
    package let extent: Extent
    /// The image that holds it.
    package let image: Image

    /// What the run reads as.
    package var state: Extent.State { extent.state }
}
