// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CLinux
internal import Glibc

/// A file that is whole from the moment it has its name, however many processes make it at once.
struct WholeFile {
    /// Its path.
    let path: String
    /// What messages call it.
    let name: String

    /// Makes the file: `prepare` fills a file without a name, which then gets the name in one step. Where another was faster its
    /// file stays. Returns whether it is ours.
    @discardableResult
    func create(
        _ cache: CacheMode,
        _ prepare: (any Storage) throws(DrayError) -> Void
    ) throws(DrayError) -> Bool {
        guard
            let unnamed = try StorageOpener.openUnnamed(in: directory, cache: cache, name: name)
        else { return try createThroughName(cache, prepare) }
        try prepare(unnamed)
        let handle = "/proc/self/fd/\(unnamed.io.descriptor.number)"
        return try taken(
            systemCall { unsafe linkat(AT_FDCWD, handle, AT_FDCWD, path, AT_SYMLINK_FOLLOW) }
        )
    }

    /// What ``create(_:_:)`` does on file systems without O_TMPFILE: the file has a name of this attempt's own while it is
    /// prepared.
    @discardableResult
    func createThroughName(
        _ cache: CacheMode,
        _ prepare: (any Storage) throws(DrayError) -> Void
    ) throws(DrayError) -> Bool {
        let own = path + "." + String(UInt64.random(in: .min ... .max), radix: 36)
        let storage = try StorageOpener.open(own, for: .creating, cache: cache, name: name)
        // Either it has another name by then, or it is of no use.
        defer { _ = unsafe unlink(own) }
        try prepare(storage)
        let linked = systemCall { unsafe link(own, path) }
        switch linked {
        case .success: return true
        case .failure(let error) where error.number == EEXIST: return false
        // A file system without links has nobody but us to care about a race.
        case .failure: return try taken(systemCall { unsafe rename(own, path) })
        }
    }

    /// Makes the file's content survive a crash of the machine.
    func synchronize() throws(DrayError) { try synchronize(path) }

    /// Makes the file's name survive a crash of the machine.
    func synchronizeDirectory() throws(DrayError) { try synchronize(directory) }

    private var directory: String { PathParts(path).directory }

    private func taken(_ result: Result<Int32, SystemErrorNumber>) throws(DrayError) -> Bool {
        guard case .failure(let error) = result else { return true }
        // EEXIST: another attempt was faster, and its file is as good.
        if error.number == EEXIST { return false }
        let text = "cannot name the file \(path)"
        throw DrayError(.resource, text, file: name, errno: error.number)
    }

    private func synchronize(_ path: String) throws(DrayError) {
        let opened = systemCall { unsafe dray_open(path, O_RDONLY | O_CLOEXEC, 0) }
        switch opened {
        case .failure(let error): throw notDurable(error)
        case .success(let number):
            let descriptor = FileDescriptor(owning: number)
            if case .failure(let error) = systemCall({ fsync(descriptor.number) }) {
                throw notDurable(error)
            }
        }
    }

    private func notDurable(_ error: SystemErrorNumber) -> DrayError {
        DrayError(.resource, "cannot make the file durable", file: name, errno: error.number)
    }
}
