// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Glibc

/// A text file, or a pipe, that is read whole.
enum InputFile {
    /// The most that is read: a file of a million jobs is smaller.
    static let limit = 1 << 30

    /// The bytes of `path`, or of standard input for `-`. Fails with `resource` where it cannot be read.
    static func read(_ path: String) throws(DrayError) -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, errno) }
        defer { if path != "-" { close(descriptor) } }
        var bytes: [UInt8] = []
        var space = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe Glibc.read(descriptor, &space, space.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure(path, errno) }
            guard count > 0 else { return bytes }
            bytes += space[0..<count]
            guard bytes.count <= limit else {
                throw DrayError(.unsupported, "the file is longer than 1 GiB", file: path)
            }
        }
    }

    private static func failure(_ path: String, _ number: Int32) -> DrayError {
        DrayError(.resource, "cannot read the file", file: path, errno: number)
    }
}
