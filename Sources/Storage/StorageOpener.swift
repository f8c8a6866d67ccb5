// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import CLinux
internal import Glibc

/// Opens what a path names as a storage: a regular file or a block device, nothing else.
package enum StorageOpener {
    /// What the storage is opened for.
    package enum Access: Sendable {
        /// Reading what exists.
        case reading
        /// Reading and writing what exists.
        case writing
        /// Going on with a file that we created: what was not written yet still reads as zeros.
        case filling
        /// A new file, which must not exist yet.
        case creating
    }

    /// Opens `path`; `name` stands for it in messages where it is not the name that the user gave.
    ///
    /// A FIFO, socket or character device is refused with `unsupported`, and never waited for. Fails with `resource` where the
    /// system fails, with `refused` where a file to be created exists, with `unsupported` where the
    /// file system cannot do the O_DIRECT that the cache mode asks for. With `directories`, which are absolute and without links,
    /// fails with `refused` where the opened file lies below none of them.
    package static func open(
        _ path: String,
        for access: Access,
        cache: CacheMode,
        name: String? = nil,
        within directories: [String]? = nil
    ) throws(DrayError) -> any Storage {
        let name = name ?? path
        // Looked at before opening, because opening some devices does something; and again on the
        // descriptor, because only that is what we read.
        if access != .creating { try refuseSpecial(try status(path, name), name) }
        let descriptor = try openDescriptor(path, access, cache, name)
        let opened = try descriptor.status(name)
        try refuseSpecial(opened, name)
        if let directories { try refuseOutside(directories, descriptor, name) }
        do throws(DrayError) {
            try settle(descriptor, isDirect: cache.isDirect, name)
            if opened.isBlockDevice {
                return try BlockDeviceStorage(descriptor, name: name, cache: cache)
            }
            return try FileStorage(descriptor, name: name, access: access, cache: cache)
        } catch {
            // What was created a moment ago is of no use to anybody.
            if access == .creating { _ = unsafe unlink(path) }
            throw error
        }
    }

    private static func refuseOutside(
        _ directories: [String],
        _ descriptor: FileDescriptor,
        _ name: String
    ) throws(DrayError) {
        let place = try RealPlace.ofDescriptor(descriptor.number)
        guard !directories.contains(where: { PathParts.isBelow(place, $0) }) else { return }
        throw DrayError(.refused, "the path leads out of the store", file: name)
    }

    /// Opens a new file in `directory` that has no name yet and is gone with its last descriptor (O_TMPFILE); nil where the file
    /// system cannot do that, or anything else is wrong that creating a named file will tell.
    static func openUnnamed(
        in directory: String,
        cache: CacheMode,
        name: String
    ) throws(DrayError) -> FileStorage? {
        let flags = O_RDWR | O_CLOEXEC | dray_O_TMPFILE | durabilityFlag(cache)
        guard
            case .success(let number) = systemCall({ unsafe dray_open(directory, flags, 0o644) })
        else { return nil }
        let descriptor = FileDescriptor(owning: number)
        try settle(descriptor, isDirect: cache.isDirect, name)
        return try FileStorage(descriptor, name: name, access: .creating, cache: cache)
    }

    private static func durabilityFlag(_ cache: CacheMode) -> Int32 {
        cache == .writethrough || cache == .directsync ? O_DSYNC : 0
    }

    private static func openDescriptor(
        _ path: String,
        _ access: Access,
        _ cache: CacheMode,
        _ name: String
    ) throws(DrayError) -> FileDescriptor {
        // O_NONBLOCK: a FIFO that took the place of the file must not hang us.
        var flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        switch access {
        case .reading: flags |= O_RDONLY
        case .writing, .filling: flags |= O_RDWR
        case .creating: flags |= O_RDWR | O_CREAT | O_EXCL
        }
        if access != .reading { flags |= durabilityFlag(cache) }
        switch systemCall({ unsafe dray_open(path, flags, 0o644) }) {
        case .success(let number): return FileDescriptor(owning: number)
        case .failure(let error) where error.number == EEXIST && access == .creating:
            throw DrayError(
                .refused,
                "the file exists already; --force replaces it",
                file: name
            )
        case .failure(let error):
            let action = access == .creating ? "cannot create the file" : "cannot open the file"
            throw DrayError(.resource, action, file: name, errno: error.number)
        }
    }

    /// Clears O_NONBLOCK, and sets O_DIRECT where it is asked for. Not at open(2): with O_CREAT, a file system that
    /// refuses O_DIRECT does so after it made the file.
    private static func settle(
        _ descriptor: FileDescriptor,
        isDirect: Bool,
        _ name: String
    ) throws(DrayError) {
        let present = fcntl(descriptor.number, F_GETFL)
        let wanted = (present & ~O_NONBLOCK) | (isDirect ? dray_O_DIRECT : 0)
        guard case .failure(let error) = systemCall({ fcntl(descriptor.number, F_SETFL, wanted) })
        else { return }
        throw DrayError(
            .unsupported,
            "the file system does not support O_DIRECT, which the cache modes 'none' and 'directsync' "
                + "ask for; use another one, such as 'writeback'",
            file: name,
            errno: error.number
        )
    }

    private static func status(_ path: String, _ name: String) throws(DrayError) -> FileStatus {
        var raw = stat()
        switch systemCall({ unsafe stat(path, &raw) }) {
        case .success: return FileStatus(raw)
        case .failure(let error):
            throw DrayError(.resource, "cannot open the file", file: name, errno: error.number)
        }
    }

    private static func refuseSpecial(_ status: FileStatus, _ name: String) throws(DrayError) {
        guard let kind = status.specialKind else { return }
        throw DrayError(
            .unsupported,
            "this is a \(kind); only regular files and block devices are read and written",
            file: name
        )
    }
}

extension StorageOpener {
    /// Whether `path` names a block device. Opens nothing.
    package static func isBlockDevice(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFBLK
    }
}
