// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Glibc

/// The command line's gate: an image may name what lies in its own directory or below, and what lies in or below
/// the directories that the user allowed.
package struct DirectoryGate: ReferenceGate {
    private let allowed: [String]

    /// A gate that allows `directories` besides the image's own.
    package init(alsoAllowing directories: [String] = []) { allowed = directories }

    package func resolve(_ name: String, referrer: String) throws(DrayError) -> String {
        try refuseProtocols(name, referrer)
        let isPlain = name.hasPrefix("/") || !referrer.contains("/")
        let path = isPlain ? name : directory(of: referrer) + "/" + name
        let real = try realPath(path, named: name, referrer)
        let home = try directory(of: realPath(referrer, named: referrer, referrer))
        for directory in [home] + allowed {
            let root = try realPath(directory, named: directory, referrer)
            if real.hasPrefix(root == "/" ? "/" : root + "/") { return path }
        }
        throw DrayError(
            .refused,
            "the image names \(name), which lies outside its directory; allow it with --allow-references \(directory(of: real))",
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
    let head = name.prefix { $0 != "/" }
    guard !name.isEmpty, !head.contains(":"), !name.utf8.contains(0) else {
        throw DrayError(
            .refused,
            "the image names \(name), which is not a plain path; Dray opens files only",
            file: referrer
        )
    }
}

/// The path without its last component: "." where there is only one.
func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
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
    return unsafe String(cString: resolved)
}
