// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CLinux
internal import Glibc

/// What the system says about a file: stat(2), in our types.
struct FileStatus {
    private let mode: mode_t
    /// The length in bytes of a regular file; 0 for devices.
    let size: UInt64
    /// The time of the last change of content, in nanoseconds since 1970.
    let modifiedNanoseconds: Int64
    /// The device number of the file system, or of the device itself for a block device.
    let device: UInt64
    /// The inode number.
    let inode: UInt64

    init(_ raw: stat) {
        mode = raw.st_mode
        size = UInt64(clamping: raw.st_size)
        let seconds = Int64(raw.st_mtim.tv_sec)
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        // Times outside the years 1677 to 2262 do not fit; the seconds then tell changes apart well enough.
        modifiedNanoseconds = overflow ? seconds : whole &+ Int64(raw.st_mtim.tv_nsec)
        device = UInt64((mode & S_IFMT) == S_IFBLK ? raw.st_rdev : raw.st_dev)
        inode = UInt64(raw.st_ino)
    }

    /// Whether this is a regular file.
    var isRegular: Bool { (mode & S_IFMT) == S_IFREG }

    /// Whether this is a symbolic link, where it was not followed.
    var isSymbolicLink: Bool { (mode & S_IFMT) == S_IFLNK }

    /// Whether this is a block device.
    var isBlockDevice: Bool { (mode & S_IFMT) == S_IFBLK }

    /// The words for what is neither a regular file nor a block device; nil for those two.
    var specialKind: String? {
        switch mode & S_IFMT {
        case S_IFREG, S_IFBLK: nil
        case S_IFDIR: "directory"
        case S_IFIFO: "pipe"
        case S_IFCHR: "character device"
        case S_IFSOCK: "socket"
        default: "file of an unknown kind"
        }
    }
}

extension FileDescriptor {
    /// What the system says about the open file.
    func status(_ name: String) throws(DrayError) -> FileStatus {
        var raw = stat()
        switch systemCall({ unsafe fstat(number, &raw) }) {
        case .success: return FileStatus(raw)
        case .failure(let error):
            throw DrayError(
                .resource,
                "cannot ask for the file's status",
                file: name,
                errno: error.number
            )
        }
    }
}

/// Tells whether a file is the one that was there at a time: a new one may get the inode of one that was removed.
package enum FileBirth {
    /// Whether the file at `path` was made later than `milliseconds` since 1970; false where the file system does not say when.
    package static func isLater(than milliseconds: Int64, _ path: String) -> Bool {
        unsafe dray_birth_time(path) > milliseconds
    }
}
