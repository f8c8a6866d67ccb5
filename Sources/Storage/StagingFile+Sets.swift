// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CLinux
internal import Glibc

/// What a file needs that is one of several of a target: see ``StagingSet``.
extension StagingFile {
    /// Whether the target is a symbolic link.
    var isLink: Bool {
        var status = stat()
        return unsafe lstat(target, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// Whether anything has the target's name.
    var targetExists: Bool {
        var status = stat()
        return unsafe lstat(destination, &status) == 0
    }

    /// The length in bytes of what has the target's name; nil where nothing has it.
    package var targetLength: UInt64? {
        var status = stat()
        guard unsafe lstat(destination, &status) == 0 else { return nil }
        return UInt64(clamping: status.st_size)
    }

    /// Whether what has the target's name is the staging file.
    var isPublished: Bool {
        var (mine, other) = (stat(), stat())
        return unsafe lstat(path, &mine) == 0 && lstat(destination, &other) == 0
            && mine.st_dev == other.st_dev && mine.st_ino == other.st_ino
    }

    /// Gives the finished file its name, which nothing has, and leaves it the staging name too where the file system has hard links. Doing
    /// it again changes nothing.
    func publishLink(isDurable: Bool) throws(DrayError) {
        // Without hard links the staging name is gone with the first time; the target's is all that there is to see.
        if isPublished || (!exists && targetExists) { return }
        if isDurable { try synchronize() }
        guard case .failure(let error) = systemCall({ unsafe link(path, destination) }) else {
            return
        }
        switch error.number {
        case EEXIST: throw existing()
        case EPERM, EOPNOTSUPP, ENOSYS, EMLINK:
            try publish(replacing: false, isDurable: isDurable)
        default: throw cannotName(error)
        }
    }

    /// Moves what has the target's name to another one.
    func moveTarget(to other: String) throws(DrayError) {
        let renamed = systemCall { unsafe rename(destination, other) }
        guard case .failure(let error) = renamed else { return }
        let text = "cannot move the old file aside"
        throw DrayError(.resource, text, file: target, errno: error.number)
    }

    /// Moves back what ``moveTarget(to:)`` moved aside. What somebody else put in its place since stays, and the old file where it is.
    func restoreTarget(from other: String) throws(DrayError) {
        let renamed = systemCall { unsafe dray_rename_noreplace(other, destination) }
        guard case .failure(let error) = renamed, error.number != EEXIST else { return }
        guard case .failure(let error) = systemCall({ unsafe link(other, destination) }) else {
            return try Self.remove(other)
        }
        let text = "cannot bring the old file back; it is \(other)"
        throw DrayError(.resource, text, file: target, errno: error.number)
    }

    /// Gives the staging file another name.
    func move(to other: String) throws(DrayError) {
        let renamed = systemCall { unsafe rename(path, other) }
        guard case .failure(let error) = renamed, error.number != ENOENT else { return }
        throw cannotName(error)
    }

    /// Takes the target's name from what has it.
    func removeTarget() throws(DrayError) { try Self.remove(destination) }

    /// The staging files of the target's other files, by what follows ``stem`` in their names.
    func otherNames() throws(DrayError) -> [String] {
        let parts = PathParts(stem)
        guard let directory = unsafe opendir(parts.directory) else {
            let number = errno
            // Where there is no directory, nothing was made.
            if number == ENOENT || number == ENOTDIR { return [] }
            let text = "cannot list the target's directory"
            throw DrayError(.resource, text, file: target, errno: number)
        }
        defer { _ = unsafe closedir(directory) }
        var found: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            guard name.utf8.starts(with: parts.lastComponent.utf8) else { continue }
            found.append(String(name.utf8.dropFirst(parts.lastComponent.utf8.count)) ?? "")
        }
        return found
    }
}
