// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Glibc

/// Standard output, gathered in memory and written in large pieces.
struct StandardOutput {
    private var pending: [UInt8] = []
    private static let enough = 64 << 10

    /// Adds text.
    mutating func write(_ text: String) throws(DrayError) {
        pending += text.utf8
        if pending.count >= Self.enough { try flush() }
    }

    /// Writes out what was added.
    mutating func flush() throws(DrayError) {
        let error = writeAll(pending, to: STDOUT_FILENO)
        pending.removeAll(keepingCapacity: true)
        guard error == 0 else {
            throw DrayError(.resource, "cannot write", file: "standard output", errno: error)
        }
    }

    /// Writes `text` and flushes.
    static func write(_ text: String) throws(DrayError) {
        var output = StandardOutput()
        try output.write(text)
        try output.flush()
    }
}

/// Standard error: messages for the person, one at a time.
enum StandardError {
    /// Writes `text` as it is. A message that cannot be written has nowhere to go: the failure is left alone.
    static func write(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }

    /// Writes the message as a line that begins with the program's name.
    static func report(_ message: String) { write("dray: " + message + "\n") }
}

/// Standard output or error, for what may get lost.
enum StandardStream {
    /// Gives each of the descriptors 0 to 2 that is closed something that can be neither read nor written. Otherwise an image
    /// would get its number, and progress and messages would be written into the image. Called before anything is opened.
    static func occupyClosed() {
        for descriptor in STDIN_FILENO...STDERR_FILENO {
            guard fcntl(descriptor, F_GETFD) < 0 else { continue }
            let access = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY
            // The lowest free number is this one. Without it nothing that follows is safe, and there is nobody to tell.
            guard unsafe open("/dev/null", access) == descriptor else { _exit(1) }
        }
    }

    /// Writes `text` to `descriptor`; a failure is left alone.
    static func write(_ text: String, to descriptor: Int32) {
        _ = writeAll(Array(text.utf8), to: descriptor)
    }
}

/// Writes every byte to a descriptor; the error number, or 0.
private func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    var rest = bytes[...]
    while !rest.isEmpty {
        let (count, error) = unsafe rest.withUnsafeBytes { bytes in
            let count = unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            return (count, errno)
        }
        if count < 0, error == EINTR { continue }
        if count < 0 { return error }
        rest = rest.dropFirst(count)
    }
    return 0
}
