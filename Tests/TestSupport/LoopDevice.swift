// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A block device over a file, for as long as this object lives. Needs root and loop devices.
package final class LoopDevice: Sendable {
    /// The device's path.
    package let path: String
    private let directory: TemporaryDirectory

    /// Makes a device of `size` bytes that holds `fill` in every byte.
    package init(size: Int, fill: UInt8, sectorSize: Int = 512) throws {
        directory = try TemporaryDirectory()
        let image = directory.file("device")
        let value = "\\" + String(fill, radix: 8)
        try Tool.check([
            "sh", "-c", "head -c \(size) /dev/zero | tr '\\0' '\(value)' > '\(image)'",
        ])
        let command = ["losetup", "--find", "--show", "--sector-size", "\(sectorSize)", image]
        path = String(try Tool.check(command).split(separator: "\n").first ?? "")
    }

    deinit {
        do { try Tool.check(["losetup", "--detach", path]) } catch { print("\(error)") }
    }

    /// Whether this machine lets us make one.
    package static let isAvailable: Bool = {
        do {
            return try !LoopDevice(size: 1 << 20, fill: 0).path.isEmpty
        } catch { return false }
    }()
}

/// A file system in memory that has little space, for as long as this object lives. Needs root.
package final class SmallFileSystem: Sendable {
    /// The mount point.
    package let path: String
    private let directory: TemporaryDirectory

    /// Mounts one of `size` bytes.
    package init(size: Int) throws {
        directory = try TemporaryDirectory()
        path = directory.path
        try Tool.check(["mount", "-t", "tmpfs", "-o", "size=\(size)", "tmpfs", path])
    }

    deinit {
        // A file of it may be closed a moment later.
        do { try Tool.check(["umount", "-l", path]) } catch { print("\(error)") }
    }

    /// Whether this machine lets us mount one.
    package static let isAvailable: Bool = {
        do {
            return try !SmallFileSystem(size: 1 << 20).path.isEmpty
        } catch { return false }
    }()
}
