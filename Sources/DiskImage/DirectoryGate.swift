// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Glibc

/// The command line's gate: an image may name regular files in its own directory or below, and whatever lies below the
/// directories that the user allowed.
///
/// An image on a block device has no directory of its own: beside it lie the disks of others.
package struct DirectoryGate: ReferenceGate {
    private let allowed: [String]

    /// A gate that allows `directories` besides the image's own.
    package init(alsoAllowing directories: [String] = []) { allowed = directories }

    package func resolve(_ name: String, referrer: String) throws(DrayError) -> String {
        try refuseProtocols(name, referrer)
        let path =
            PathParts.isAbsolute(name) ? name : PathParts(referrer).directoryPrefix + name
        let real = try realPath(path, named: name, referrer)
        let home = try PathParts(realPath(referrer, named: referrer, referrer)).directory
        let isNear = PathParts.isBelow(real, home) && !isBlockDevice(referrer)
        if isNear, isRegularFile(real) { return path }
        for directory in allowed {
            let root = try realPath(directory, named: directory, referrer)
            if PathParts.isBelow(real, root) { return path }
        }
        guard !isNear else {
            throw DrayError(
                .refused,
                "the image names \(name), which is not a regular file",
                file: referrer
            )
        }
        throw DrayError(
            .refused,
            "the image names \(name), which is no file in its directory or below; allow it with --allow-references \(PathParts(real).directory)",
            file: referrer
        )
    }
}

/// A gate that allows nothing: `--no-references`.
package struct ClosedGate: ReferenceGate {
    /// A closed gate.
    package init() {}

    package func resolve(_ name: String, referrer: String) throws(DrayError) -> String {
        throw DrayError(
            .refused,
            "the image names \(name), and references are not allowed",
            file: referrer
        )
    }
}

/// Fails for names that another program would take for a URL or a driver's options.
func refuseProtocols(_ name: String, _ referrer: String) throws(DrayError) {
    let head = name.utf8.prefix { $0 != UInt8(ascii: "/") }
    guard !name.isEmpty, !head.contains(UInt8(ascii: ":")), !name.utf8.contains(0) else {
        throw DrayError(
            .refused,
            "the image names \(name), which is not a plain path; Dray opens files only",
            file: referrer
        )
    }
}

/// Whether a path without links leads to a regular file.
private func isRegularFile(_ path: String) -> Bool { kind(of: path) == S_IFREG }

/// Whether `path` leads to a block device.
private func isBlockDevice(_ path: String) -> Bool { kind(of: path) == S_IFBLK }

private func kind(of path: String) -> mode_t? {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
}

/// The path without symbolic links: realpath(3).
private func realPath(_ path: String, named name: String, _ referrer: String) throws(DrayError)
    -> String
{
    guard let resolved = unsafe realpath(path, nil) else {
        throw DrayError(
            .resource,
            "cannot find \(name), which the image names",
            file: referrer,
            errno: errno
        )
    }
    defer { unsafe free(resolved) }
    // Repairing a name would make it another file's.
    guard let text = unsafe String(validatingCString: resolved) else {
        throw DrayError(
            .refused,
            "the image names \(name), whose path is not UTF-8",
            file: referrer
        )
    }
    return text
}
