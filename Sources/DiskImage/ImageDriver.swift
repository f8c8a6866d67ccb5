// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Storage

/// Reads one layer of an image: answers where guest bytes live, never moves payload itself.
///
/// A driver is immutable after opening but for its caches, and may be asked from any thread. Everything it takes
/// from the image is checked: a bad image gives `corrupt` or `unsupported`, never a trap.
package protocol ImageDriver: AnyObject, Sendable {
    /// The format's name.
    var format: ImageFormat { get }
    /// The storage that holds the metadata.
    var storage: any Storage { get }
    /// Every storage that holds content of this layer, `storage` first: their identities are the layer's.
    var storages: [any Storage] { get }
    /// The size of the virtual disk in bytes.
    var guestSize: UInt64 { get }
    /// The backing image that this layer names, if any. Naming it opens nothing.
    var backing: BackingReference? { get }

    /// Where the guest bytes from `offset` live in this layer: a run that begins exactly there and is at
    /// most `limit` bytes long (and never beyond `guestSize`). Runs should be as long as can be told cheaply.
    /// `offset` lies inside the disk and `limit` is at least 1.
    func map(_ offset: GuestOffset, limit: UInt64) throws(DrayError) -> LayerExtent

    /// Decodes a compressed cluster that `map` answered with: `cluster.guestLength` bytes into `buffer` from `start`.
    func decode(
        _ cluster: CompressedCluster,
        into buffer: AlignedBuffer,
        at start: Int
    ) throws(DrayError)

    /// How much memory a thread needs that reads this layer, beside the buffer that it reads into, in bytes.
    var readingMemory: Int { get }
    /// How much the threads that read this layer need together, in bytes.
    var sharedMemory: Int { get }

    /// Says that the calling thread will read `range` from its first byte to its last; the id is for ``endReading(_:)``. Nil where it makes
    /// no difference to the driver. What takes long then calls `pulse`.
    func beginReading(_ range: GuestRange, _ pulse: Pulse) -> Int?

    /// The thread reads no more of what it said.
    func endReading(_ id: Int)

    /// Verifies the layer's own metadata, as `qemu-img check` does; nil where the format has nothing to verify.
    func check() throws(DrayError) -> CheckReport?

    /// What keeps this layer from being read on top of `parent`, if anything: asked once, and an error only where bytes of the
    /// parent are needed.
    func problem(above parent: any ImageDriver) -> DrayError?

    /// What `dray info` prints about the format: keys and values in qemu-img's names.
    func information() throws(DrayError) -> FormatInformation
}

extension ImageDriver {
    /// None: for formats that do not know what their parent was like.
    package func problem(above parent: any ImageDriver) -> DrayError? { nil }

    /// Nothing: for formats whose content is stored as it is.
    package var readingMemory: Int { 0 }
    /// Nothing: for formats that are read anywhere alike.
    package var sharedMemory: Int { 0 }

    /// Nothing to know: for formats that are read anywhere alike.
    package func beginReading(_ range: GuestRange, _ pulse: Pulse) -> Int? { nil }

    /// Nothing to end.
    package func endReading(_ id: Int) {}
}

/// What one layer says about a run of guest bytes.
package struct LayerExtent: Sendable {
    /// Bytes; at least 1.
    package let length: UInt64
    /// Where they live.
    package let place: Place

    /// Names a run.
    package init(length: UInt64, place: Place) {
        self.length = length
        self.place = place
    }
}

/// Where a run of guest bytes lives.
package enum Place: Sendable {
    /// Stored as they are, in one run from a host offset.
    case data(any Storage, HostOffset)
    /// Part of a compressed cluster; the whole cluster must be decoded.
    case compressed(CompressedCluster)
    /// Zeros by metadata. The host offset is given where space is allocated all the same.
    case zero(any Storage, HostOffset?)
    /// Not in this layer: the backing image decides, zeros without one.
    case unallocated
}

/// A compressed cluster, as the metadata describes it.
package struct CompressedCluster: Sendable, Hashable {
    /// The guest offset of the cluster's first byte (which may lie before the run that was asked for).
    package let guestStart: GuestOffset
    /// The decoded length in bytes: the cluster size.
    package let guestLength: Int
    /// Where the compressed bytes start.
    package let host: HostOffset
    /// How many bytes at most belong to the compressed stream.
    package let hostLength: Int

    /// Describes a compressed cluster.
    package init(guestStart: GuestOffset, guestLength: Int, host: HostOffset, hostLength: Int) {
        self.guestStart = guestStart
        self.guestLength = guestLength
        self.host = host
        self.hostLength = hostLength
    }
}

/// A backing image as its overlay names it: text from a stranger, not to be opened but through the gate.
package struct BackingReference: Sendable, Hashable {
    /// The name as stored.
    package let name: String
    /// The format as stored, if any.
    package let format: String?

    /// Names a backing image.
    package init(name: String, format: String?) {
        self.name = name
        self.format = format
    }
}
