// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import DiskImage
internal import Storage

/// Reads guest bytes: turns the map's answers into I/O. For one thread at a time; keeps the last decoded cluster.
package final class SourceReader {
    private let disk: SourceDisk
    private var decoded: AlignedBuffer?
    private var decodedCluster: CompressedCluster?
    private var decodedLayer: ObjectIdentifier?

    /// A reader of `disk`.
    package init(_ disk: SourceDisk) { self.disk = disk }

    /// Reads all of `range` into `buffer` from `start`: data is read, everything else zeroed. Returns how many bytes were data.
    @discardableResult
    package func read(
        _ range: GuestRange,
        into buffer: AlignedBuffer,
        at start: Int
    ) throws(DrayError) -> UInt64 {
        var data: UInt64 = 0
        // A hole inside reads as zeros by itself, and a read for each piece around it would cost more.
        try disk.forEachExtent(in: range, findsHoles: false) { run throws(DrayError) in
            let position = start + Int(run.range.start.bytes - range.start.bytes)
            try read(run, into: buffer, at: position)
            if run.state == .data { data += run.range.length }
        }
        return data
    }

    private func read(
        _ run: SourceExtent,
        into buffer: AlignedBuffer,
        at start: Int
    ) throws(DrayError) {
        let bytes = start..<start + Int(run.range.length)
        switch run.extent.place {
        case .data(let storage, let host): try storage.read(host, into: buffer, bytes)
        case .compressed(let cluster): try read(cluster, of: run, into: buffer, bytes)
        case .zero, .unallocated: buffer.zero(bytes)
        }
    }

    private func read(
        _ cluster: CompressedCluster,
        of run: SourceExtent,
        into buffer: AlignedBuffer,
        _ bytes: Range<Int>
    ) throws(DrayError) {
        let layer = run.image.layers[run.extent.depth]
        let skipped = Int(run.extent.range.start.bytes - cluster.guestStart.bytes)
        if skipped == 0, bytes.count == cluster.guestLength {
            return try layer.decode(cluster, into: buffer, at: bytes.lowerBound)
        }
        let whole = try decode(cluster, of: layer)
        buffer.copy(whole, skipped..<skipped + bytes.count, to: bytes.lowerBound)
    }

    /// The cluster's bytes, decoded once however many pieces of it are asked for in a row.
    private func decode(
        _ cluster: CompressedCluster,
        of layer: any ImageDriver
    ) throws(DrayError) -> AlignedBuffer {
        if let decoded, decodedCluster == cluster, decodedLayer == ObjectIdentifier(layer) {
            return decoded
        }
        decodedCluster = nil
        let buffer: AlignedBuffer
        if let decoded, decoded.count >= cluster.guestLength {
            buffer = decoded
        } else {
            buffer = AlignedBuffer(count: cluster.guestLength)
        }
        decoded = buffer
        try layer.decode(cluster, into: buffer, at: 0)
        decodedCluster = cluster
        decodedLayer = ObjectIdentifier(layer)
        return buffer
    }
}
