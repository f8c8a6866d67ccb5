// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import CLinux
internal import Glibc

/// The file beside a target that a job writes to until the image is whole: `.NAME.JOB.partial`.
///
/// It exists only once it was prepared, and takes the target's name in one step; a value of this type is just the two names.
package struct StagingFile: Sendable, Hashable {
    /// The staging file's path.
    package let path: String
    /// The target's path.
    private let target: String

    /// The staging file of job `job` for `target`. Long names are cut so that the file system takes them.
    package init(target: String, job: String) {
        let slash = target.lastIndex(of: "/")
        let directory = slash.map { String(target[...$0]) } ?? ""
        let name = slash.map { String(target[target.index(after: $0)...]) } ?? target
        var kept = name
        while kept.utf8.count > 150 { kept.removeLast() }
        path = "\(directory).\(kept).\(job).partial"
        self.target = target
    }

    /// Whether the staging file is there.
    package var exists: Bool { Self.exists(path) }

    /// Makes the staging file, unless it is there already: `prepare` fills a new file, which then takes the
    /// staging name. Fails with `refused` where the target exists, unless it is to be replaced.
    package func create(
        replacing: Bool,
        cache: CacheMode,
        _ prepare: (any Storage) throws(DrayError) -> Void
    ) throws(DrayError) {
        guard !exists else { return }
        if !replacing, Self.exists(target) { throw targetExists }
        let unfinished = "\(path).\(getpid())"
        let storage = try StorageOpener.open(unfinished, for: .creating, cache: cache, name: target)
        do throws(DrayError) {
            try prepare(storage)
            try rename(unfinished, path, replacing: false)
        } catch {
            _ = unsafe unlink(unfinished)
            // Another attempt was faster: its file is as good.
            guard error.errno == EEXIST, exists else { throw error }
        }
    }

    /// Gives the file the target's name, durably. Fails with `refused` where the target exists, unless it is
    /// to be replaced; the old file then stays whole until this very step.
    package func publish(replacing: Bool) throws(DrayError) {
        do throws(DrayError) {
            try rename(path, target, replacing: replacing)
        } catch {
            throw error.errno == EEXIST ? targetExists : error
        }
        try flushDirectory()
    }

    /// Removes the staging file if it is there.
    package func remove() throws(DrayError) {
        guard unsafe unlink(path) != 0, errno != ENOENT else { return }
        throw DrayError(.resource, "cannot remove the staging file", file: path, errno: errno)
    }

    private var targetExists: DrayError {
        DrayError(.refused, "the target exists already; use --force to replace it", file: target)
    }

    private func rename(_ from: String, _ to: String, replacing: Bool) throws(DrayError) {
        let result = systemCall {
            if replacing { return unsafe Glibc.rename(from, to) }
            let result = unsafe dray_rename_noreplace(from, to)
            // Some file systems do not know the flag: a hard link fails as well where the name is taken.
            guard result != 0, errno == EINVAL || errno == ENOSYS else { return result }
            guard unsafe link(from, to) == 0 else { return -1 }
            return unsafe unlink(from)
        }
        if case .failure(let error) = result {
            throw DrayError(.resource, "cannot rename \(from)", file: to, errno: error.number)
        }
    }

    /// fsync(2) of the directory, so that the name survives the machine. A directory that cannot be opened for that is left alone.
    private func flushDirectory() throws(DrayError) {
        let directory = target.lastIndex(of: "/").map { String(target[...$0]) } ?? "."
        let opened = systemCall { unsafe dray_open(directory, O_RDONLY | O_CLOEXEC, 0) }
        guard case .success(let number) = opened else { return }
        let descriptor = FileDescriptor(owning: number)
        let result = systemCall { fsync(descriptor.number) }
        if case .failure(let error) = result, error.number != EINVAL {
            throw DrayError(
                .resource,
                "cannot flush the directory",
                file: target,
                errno: error.number
            )
        }
    }

    private static func exists(_ path: String) -> Bool {
        var status = stat()
        return unsafe lstat(path, &status) == 0
    }
}
