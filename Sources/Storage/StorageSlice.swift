// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// A stretch of another storage, as a storage of its own that is only read: a file inside an archive.
package final class StorageSlice: ReadOnlyStorage {
    package let name: String
    package let length: UInt64
    /// Where the stretch begins in the other storage.
    package let start: UInt64
    /// The other storage.
    package let base: any Storage

    /// The bytes of `base` that `bytes` names. Fails with `corrupt` where they are not all inside it.
    package init(_ base: any Storage, _ bytes: Range<UInt64>, name: String) throws(DrayError) {
        guard bytes.upperBound <= base.length else {
            let text =
                "what should lie here ends at \(bytes.upperBound), the file at \(base.length)"
            throw DrayError(.corrupt, text, file: name, offset: bytes.lowerBound)
        }
        self.base = base
        self.name = name
        start = bytes.lowerBound
        length = bytes.upperBound - bytes.lowerBound
    }

    package var alignment: IOAlignment { .none }
    package var isZeroInitialized: Bool { false }
    package var hasSlowExtents: Bool { base.hasSlowExtents }

    package func findExtents(with patience: ExtentPatience) { base.findExtents(with: patience) }

    package func read(_ offset: HostOffset, into buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        try checkInside(offset, range.count, of: length)
        try base.read(offset + start, into: buffer, range)
    }

    package func extent(at offset: HostOffset, limit: UInt64) throws(DrayError) -> StorageExtent {
        guard offset.bytes < length, limit > 0 else {
            throw DrayError(.corrupt, "nothing lies here", file: name, offset: offset.bytes)
        }
        return try base.extent(at: offset + start, limit: min(limit, length - offset.bytes))
    }

    package func identity() throws(DrayError) -> StorageIdentity { try base.identity() }
}
