// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The parts of a path, found by its bytes as the system finds them. Swift's characters would not do: a slash with a
/// combining mark behind it is another character, and two names that differ in their normal form are equal.
package struct PathParts {
    /// Everything up to and with the last slash; empty where there is none.
    package let directoryPrefix: String
    /// What follows the last slash.
    package let lastComponent: String

    /// Divides `path`.
    package init(_ path: String) {
        let bytes = path.utf8
        let slash = bytes.lastIndex(of: Self.slash)
        let cut = slash.map { bytes.index(after: $0) } ?? bytes.startIndex
        directoryPrefix = String(path.unicodeScalars[..<cut])
        lastComponent = String(path.unicodeScalars[cut...])
    }

    /// The directory's path without its last slash: "." where the path has none, "/" for what lies in the root.
    package var directory: String {
        if directoryPrefix.isEmpty { return "." }
        return directoryPrefix.utf8.count == 1
            ? directoryPrefix : String(directoryPrefix.unicodeScalars.dropLast())
    }

    /// Whether `path` begins at the root.
    package static func isAbsolute(_ path: String) -> Bool { path.utf8.first == slash }

    /// Whether `path` lies below `directory`. Both are absolute and free of links, dots and double slashes, as
    /// realpath(3) gives them.
    package static func isBelow(_ path: String, _ directory: String) -> Bool {
        let bytes = directory.utf8
        guard path.utf8.starts(with: bytes), path.utf8.count > bytes.count else { return false }
        return bytes.last == slash || path.utf8.dropFirst(bytes.count).first == slash
    }

    private static let slash = UInt8(ascii: "/")
}
