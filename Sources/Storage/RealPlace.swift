// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Glibc

/// Where a path really leads, without links.
package struct RealPlace: Sendable, Hashable {
    /// What is there.
    package enum Kind: Sendable, Hashable {
        /// A regular file.
        case regularFile
        /// A block device.
        case blockDevice
        /// A directory.
        case directory
        /// A pipe, a socket, a character device.
        case special
    }

    /// ENOENT: the error number of what is not there.
    package static let missing = ENOENT

    /// The path, absolute and without links: realpath(3).
    package let path: String
    /// What is there.
    package let kind: Kind

    /// Follows `path`; nil where it leads nowhere. Fails with `resource` where the system does not say, with `refused` where the
    /// path behind the links is not UTF-8. Errors name no path.
    package init?(_ path: String) throws(DrayError) {
        guard let resolved = unsafe realpath(path, nil) else {
            let number = errno
            if number == ENOENT { return nil }
            throw DrayError(.resource, "cannot follow the path", errno: number)
        }
        defer { unsafe free(resolved) }
        // Repairing a name would make it another file's.
        guard let text = unsafe String(validatingCString: resolved) else {
            throw DrayError(.refused, "the path is not UTF-8")
        }
        var raw = stat()
        guard unsafe lstat(text, &raw) == 0 else {
            throw DrayError(.resource, "cannot ask for the file's status", errno: errno)
        }
        self.path = text
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .regularFile
            case S_IFBLK: .blockDevice
            case S_IFDIR: .directory
            default: .special
            }
    }

    /// Where the file behind a descriptor lies now: what /proc says.
    static func ofDescriptor(_ number: Int32) throws(DrayError) -> String {
        let buffer = AlignedBuffer(count: 4096)
        let handle = "/proc/self/fd/\(number)"
        let result = unsafe buffer.withMutableBytes(0..<buffer.count) { bytes in
            let text = unsafe bytes.assumingMemoryBound(to: CChar.self)
            guard let start = text.baseAddress else {
                return Result<Int, SystemErrorNumber>.success(0)
            }
            return systemCall { unsafe readlink(handle, start, text.count) }
        }
        switch result {
        case .success(let count): return String(decoding: buffer.bytes(0..<count), as: UTF8.self)
        case .failure(let error):
            let text = "cannot find out where the file is"
            throw DrayError(.resource, text, errno: error.number)
        }
    }
}
