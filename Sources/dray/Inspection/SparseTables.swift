// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Glibc
internal import Storage

extension ImageDriver {
    /// Whether the file takes less space than its tables count as used: its metadata were preallocated, and its file
    /// system knows of holes in what the tables call data. qemu-img's rule, with its threshold.
    func isStorageSparserThanTables() throws(DrayError) -> Bool {
        // What an archive holds has no space of its own to be asked for.
        guard let image = self as? QCOW2Driver, !(storage is StorageSlice) else { return false }
        let allocated = try FileSpace.allocated(storage.name) / image.header.clusterSize
        let threshold = max(allocated * 10 / 9, allocated + 2)
        // Refcounts that cannot be read say nothing about holes; the content may be whole all the same.
        return (try? image.countsAtLeast(threshold)) ?? false
    }
}

/// Space on a file system.
enum FileSpace {
    /// The space that the file at `path` takes, in bytes: st_blocks of stat(2).
    static func allocated(_ path: String) throws(DrayError) -> UInt64 {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            throw DrayError(.resource, "cannot look at the file", file: path, errno: errno)
        }
        return UInt64(status.st_blocks) * 512
    }
}
