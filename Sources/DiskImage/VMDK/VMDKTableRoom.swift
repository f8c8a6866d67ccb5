// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Synchronization

/// The room that all extents of a disk have together to note where their tables lie, and all disks of the process.
final class VMDKTableRoom: Sendable {
    /// How many stretches all disks may note: 64 MiB of them.
    private static let most = 4 * VMDKTablePlaces.most
    private static let taken = Mutex(0)
    private let taken = Mutex(0)

    deinit {
        let count = taken.withLock { $0 }
        Self.taken.withLock { $0 -= count }
    }

    /// Takes room for `count` stretches until the disk is closed.
    ///
    /// Fails with `unsupported` where the disk has too many in all, with `resource` where other disks have taken the room.
    func take(_ count: Int, file: String) throws(DrayError) {
        try taken.withLock { taken throws(DrayError) in
            guard taken + count <= VMDKTablePlaces.most else { throw Self.tooMany(file: file) }
            let isThere = Self.taken.withLock { all in
                guard all + count <= Self.most else { return false }
                all += count
                return true
            }
            guard isThere else {
                throw DrayError(
                    .resource,
                    "there is no room to note \(count) places of grain tables besides those of other disks",
                    file: file
                )
            }
            taken += count
        }
    }

    /// The error about a disk whose tables are in too many places.
    static func tooMany(file: String) -> DrayError {
        DrayError(
            .unsupported,
            "the grain tables of the disk lie in more than \(VMDKTablePlaces.most) places",
            file: file
        )
    }
}
