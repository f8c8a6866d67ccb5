// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The error of the data plane: one type from BlockIO up to the messages of a fleet, so that a failure
/// keeps its kind, place and cause on the way to the person who must act on it.
package struct DrayError: Error, Sendable, Hashable, Codable {
    /// What sort of failure this is. Kinds are never merged: each has another remedy.
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// The image breaks its format's rules. Trying again does not help.
        case corrupt
        /// The image or request is well formed, but asks for what Dray does not do.
        case unsupported
        /// The machine said no: I/O error, no space, permission, missing file. May pass.
        case resource
        /// An image names a file that the caller did not allow, or a target exists already.
        case refused
        /// The source is no longer what it was when the job was planned.
        case changed
        /// The request contradicts itself: an unknown option, a bad value.
        case invalid
        /// Someone asked to stop.
        case cancelled
        /// Dray broke a rule of its own.
        case bug
    }

    /// The sort of failure.
    package let kind: Kind
    /// What happened and, where there is one, which value was read and what the user can do.
    package let message: String
    /// The file or device concerned, as the user named it.
    package let file: String?
    /// Where in `file`, in bytes.
    package let offset: UInt64?
    /// The system's error number, where a call failed (see errno(3)).
    package let errno: Int32?

    /// Makes an error. `message` is a sentence without its place: `description` adds file and offset.
    package init(
        _ kind: Kind,
        _ message: String,
        file: String? = nil,
        offset: UInt64? = nil,
        errno: Int32? = nil
    ) {
        self.kind = kind
        self.message = message
        self.file = file
        self.offset = offset
        self.errno = errno
    }

    /// Whether trying again may help: the machine said no, and not because of the path itself, which leads in circles (ELOOP) or is too
    /// long (ENAMETOOLONG).
    package var mayPass: Bool { kind == .resource && errno != ELOOP && errno != ENAMETOOLONG }

    /// The same error with the place filled in where it is not known yet.
    package func at(file: String? = nil, offset: UInt64? = nil) -> DrayError {
        DrayError(
            kind,
            message,
            file: self.file ?? file,
            offset: self.offset ?? offset,
            errno: errno
        )
    }
}

extension DrayError: CustomStringConvertible {
    /// One line: `file: message (at offset N): system error`. Control characters that an image or a job
    /// brought along are escaped, so that nothing can forge lines of a log or steer a terminal.
    package var description: String {
        var text = ""
        if let file { text += file.escapingControls + ": " }
        text += message.escapingControls
        if let offset { text += " (at offset \(offset))" }
        if let errno { text += ": " + systemErrorText(errno) }
        return text
    }
}

extension String {
    /// The string with every control character and bidirectional override written as `\u{…}`.
    package var escapingControls: String {
        var out = ""
        for scalar in unicodeScalars {
            let isOverride =
                (0x202A...0x202E).contains(scalar.value)
                || (0x2066...0x2069).contains(scalar.value)
            if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || isOverride {
                out += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
