// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Synchronization

/// The room that all extents of a disk have together to note where their tables lie: a disk's part of what all disks have.
package final class VMDKTableRoom: Sendable {
    /// What the disks of a process have together.
    package final class Pool: Sendable {
        /// The one of this process: 64 MiB of stretches.
        package static let process = Pool(most: 4 * VMDKTablePlaces.most)

        private let most: Int
        private let taken = Mutex(0)

        /// Room for `most` stretches.
        package init(most: Int) { self.most = most }

        /// Takes room for `count` stretches, if there is so much.
        fileprivate func take(_ count: Int) -> Bool {
            taken.withLock { taken in
                guard taken + count <= most else { return false }
                taken += count
                return true
            }
        }

        fileprivate func give(_ count: Int) { taken.withLock { $0 -= count } }
    }

    private let pool: Pool
    private let taken = Mutex(0)

    /// A disk's part of `pool`: nothing yet.
    package init(of pool: Pool = .process) { self.pool = pool }

    deinit { pool.give(taken.withLock { $0 }) }

    /// Takes room for `count` stretches until the disk is closed.
    ///
    /// Fails with `unsupported` where the disk has too many in all, with `resource` where other disks have taken the room.
    package func take(_ count: Int, file: String) throws(DrayError) {
        try taken.withLock { taken throws(DrayError) in
            guard taken + count <= VMDKTablePlaces.most else { throw Self.tooMany(file: file) }
            guard pool.take(count) else {
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
