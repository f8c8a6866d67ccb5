// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Storage

/// A virtual disk: an image with its chain of backing images, opened for reading.
///
/// Immutable after opening and safe to ask from any thread.
package final class Image: Sendable {
    /// The path as the user gave it.
    package let path: String
    /// The layers: the image itself first, its backing image next.
    package let layers: [any ImageDriver]
    /// The archive's member that the first layer is, where it is one.
    package let archived: ArchivedDisk?
    /// What keeps each layer but the last from being read on top of the next.
    private let problems: [DrayError?]

    /// Makes a disk of `layers`, of which there is at least one.
    package init(path: String, layers: [any ImageDriver], archived: ArchivedDisk? = nil) {
        precondition(!layers.isEmpty, "an image has at least one layer")
        self.path = path
        self.layers = layers
        self.archived = archived
        problems = zip(layers, layers.dropFirst()).map { $0.problem(above: $1) }
    }

    /// The size of the virtual disk in bytes: the first layer's, whatever its backing images' are.
    package var guestSize: UInt64 { layers[0].guestSize }

    /// Every storage that holds content of the disk.
    package var storages: [any Storage] { layers.flatMap(\.storages) }

    /// Where the guest bytes from `offset` live: a run of at most `limit` bytes that ends at the disk's end.
    ///
    /// Only the first `depth` layers are asked (all of them by default). Where none has the run, the place
    /// is `unallocated` and the extent's depth is that of the last layer asked: less than `depth - 1` where the next layer
    /// is too short to reach the run, which then reads as zeros whatever lies below. Fails with `corrupt` where a layer is
    /// needed that is not the one on which the layer above was put.
    package func map(
        _ offset: GuestOffset,
        limit: UInt64,
        depth: Int = Int.max
    ) throws(DrayError) -> Extent {
        precondition(offset.bytes < guestSize && limit > 0, "the run starts inside the disk")
        var length = min(limit, guestSize - offset.bytes)
        let last = min(depth, layers.count) - 1
        var level = 0
        while true {
            let answer = try layers[level].map(offset, limit: length)
            length = min(length, answer.length)
            guard case .unallocated = answer.place, level < last else {
                return extent(offset, length, level, answer.place)
            }
            let below = layers[level + 1].guestSize
            guard offset.bytes < below else {
                return extent(offset, length, level, .unallocated)
            }
            if let problem = problems[level] { throw problem }
            length = min(length, below - offset.bytes)
            level += 1
        }
    }

    private func extent(_ start: GuestOffset, _ length: UInt64, _ depth: Int, _ place: Place)
        -> Extent
    {
        Extent(range: GuestRange(start, length: length), depth: depth, place: place)
    }
}
