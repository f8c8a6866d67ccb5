// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport

/// A directory for one test's images, removed at its end, and the tools to make them with.
final class QCOW2Workshop {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// The path of a file in the directory.
    func path(_ name: String) -> String { directory.file(name) }

    /// Runs commands of sh(1) in the directory; returns what they print. Fails unless they exit with one of `codes`.
    @discardableResult
    func shell(_ command: String, exits codes: Set<Int32> = [0]) throws -> String {
        let script = "set -e; cd '\(directory.path)'; \(command)"
        let result = try Tool.run(["sh", "-c", script])
        guard codes.contains(result.status) else {
            throw SupportError("\(command) ended with \(result.status): \(result.error)")
        }
        return result.output
    }

    /// Opens a file as a storage that is only read.
    func storage(_ name: String) throws(DrayError) -> any Storage {
        try StorageOpener.open(path(name), for: .reading, cache: .writeback)
    }

    /// Opens a qcow2 image.
    func open(_ name: String, snapshot: SnapshotChoice? = nil) throws -> QCOW2Driver {
        try QCOW2Driver(storage: storage(name), snapshot: snapshot) {
            (file) throws(DrayError) in try self.storage(file)
        }
    }

    /// Makes a file, in place of one that is there.
    func write(_ name: String, _ bytes: [UInt8]) throws {
        try shell("rm -f \(name)")
        let storage = try StorageOpener.open(path(name), for: .creating, cache: .unsafe)
        let buffer = AlignedBuffer(count: bytes.count)
        buffer.copy(bytes, to: 0)
        try storage.write(HostOffset(0), from: buffer, 0..<bytes.count)
    }

    /// The bytes of a file.
    func bytes(_ name: String) throws -> [UInt8] {
        let storage = try storage(name)
        let count = Int(storage.length)
        guard count > 0 else { return [] }
        let buffer = AlignedBuffer(count: count)
        try storage.read(HostOffset(0), into: buffer, 0..<count)
        return buffer.bytes(0..<count)
    }

    /// The guest content of `driver` as its map tells it; what is not allocated is taken from `below`, zeros beyond that.
    static func content(of driver: any ImageDriver, below: [UInt8] = [], step: UInt64 = .max)
        throws -> [UInt8]
    {
        let size = Int(driver.guestSize)
        guard size > 0 else { return [] }
        let buffer = AlignedBuffer(count: size)
        buffer.zero(0..<size)
        var position = 0
        while position < size {
            let run = try driver.map(GuestOffset(UInt64(position)), limit: step)
            let end = position + Int(run.length)
            switch run.place {
            case .data(let storage, let host):
                try storage.read(host, into: buffer, position..<end)
            case .compressed(let cluster):
                let decoded = AlignedBuffer(count: cluster.guestLength)
                try driver.decode(cluster, into: decoded, at: 0)
                let skip = position - Int(cluster.guestStart.bytes)
                buffer.copy(decoded, skip..<skip + Int(run.length), to: position)
            case .zero: break
            case .unallocated:
                let last = min(end, below.count)
                if position < last { buffer.copy(Array(below[position..<last]), to: position) }
            }
            position = end
        }
        return buffer.bytes(0..<size)
    }
}
