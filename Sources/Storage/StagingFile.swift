// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import CLinux
internal import Glibc

/// A target on its way: a file beside it that no tool takes for an image, until it is whole and gets the target's name.
package struct StagingFile: Sendable, Hashable {
    /// The target as the user gave it.
    package let target: String
    /// Where the bytes are until then: `.NAME.JOB.partial` in the target's directory. A NAME too long for that is cut.
    package let path: String
    /// The job.
    let job: String
    /// The lock file of a target that several processes write: `.NAME.JOB.lock` beside the staging file.
    let lockPath: String
    /// How the paths of the staging files of the target's other files begin, `.NAME.JOB+`: no job's name has a plus sign, so nobody else's do.
    let stem: String
    /// Where the target will be: `target`, or what it points to where it is a symbolic link.
    let destination: String

    /// Names the staging file of a job. Nothing is created. `job` has letters, digits and dashes only. Fails with `invalid`
    /// where the target is no file's name.
    package init(target: String, job: String) throws(DrayError) {
        let isPlain = job.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-")
        }
        guard isPlain, (1...128).contains(job.utf8.count) else {
            throw DrayError(.invalid, "'\(job)' is no job's name")
        }
        destination = Self.resolved(target)
        let name = PathParts(destination).lastComponent
        guard !name.isEmpty, name != ".", name != "..", !target.utf8.contains(0) else {
            throw DrayError(.invalid, "'\(target)' is not the name of a file")
        }
        self.target = target
        self.job = job
        let suffix = ".\(job).partial"
        // NAME_MAX, with the dot in front and room for an attempt's own ending. The suffix alone tells jobs apart.
        var kept = name
        while 1 + kept.utf8.count + suffix.utf8.count + 14 > 255 { kept.removeLast() }
        let start = PathParts(destination).directory + "/." + kept
        path = start + suffix
        lockPath = "\(start).\(job).lock"
        stem = "\(start).\(job)+"
    }

    /// Names the staging file of another file of `main`'s target, which will have the name `name` beside it.
    init(number: Int, named name: String, beside main: StagingFile) {
        target = PathParts(main.target).directoryPrefix + name
        job = main.job
        path = "\(main.stem)\(number).partial"
        lockPath = main.lockPath
        stem = main.stem
        destination = PathParts(main.destination).directoryPrefix + name
    }

    /// Whether the staging file is there, or the system does not say: whatever is done with it next meets the same error.
    package var exists: Bool {
        guard case .failure(let error) = systemCall({ unsafe access(path, F_OK) }) else {
            return true
        }
        return error.number != ENOENT && error.number != ENOTDIR
    }

    /// Its length in bytes; nil where it is not there.
    package var length: UInt64? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return UInt64(clamping: status.st_size)
    }

    /// Fails with `refused` where the target exists and is not to be replaced, with `unsupported` where it is something that a
    /// file cannot replace, and with `resource` where its name is too long. For before the work begins; ``publish(replacing:isDurable:)`` asks again.
    package func checkTarget(replacing: Bool) throws(DrayError) {
        var raw = stat()
        let found = systemCall { unsafe lstat(destination, &raw) }
        if case .failure(let error) = found {
            // The staging file's name is cut to what is allowed: without this it would be seen after all the work.
            if error.number == ENAMETOOLONG { throw cannotName(error) }
            return
        }
        let status = FileStatus(raw)
        guard status.isRegular || status.isSymbolicLink else {
            throw DrayError(
                .unsupported,
                "this is no regular file, so it is not replaced",
                file: target
            )
        }
        guard replacing else { throw existing() }
    }

    /// Makes the staging file, unless it is there already: `prepare` fills a file without a name, which then gets the
    /// staging name in one step. Fails as ``checkTarget(replacing:)`` does. Messages name the target.
    package func create(
        replacing: Bool,
        cache: CacheMode,
        _ prepare: (any Storage) throws(DrayError) -> Void
    ) throws(DrayError) {
        guard !exists else { return }
        try checkTarget(replacing: replacing)
        try whole.create(cache, prepare)
        // What is flushed later must also be found by its name after a crash of the machine.
        if cache != .unsafe { try whole.synchronizeDirectory() }
    }

    /// What ``create(replacing:cache:_:)`` does on file systems without O_TMPFILE: the file has a name of this attempt's own
    /// while it is prepared.
    package func createThroughName(
        _ cache: CacheMode,
        _ prepare: (any Storage) throws(DrayError) -> Void
    ) throws(DrayError) {
        try whole.createThroughName(cache, prepare)
    }

    private var whole: WholeFile { WholeFile(path: path, name: target) }

    /// Makes the file's content survive a crash of the machine.
    func synchronize() throws(DrayError) { try whole.synchronize() }

    /// Makes the names in the target's directory survive a crash of the machine.
    package func synchronizeDirectory() throws(DrayError) { try whole.synchronizeDirectory() }

    /// Opens the staging file that a step before has created. What was never written in it reads as zeros.
    package func open(cache: CacheMode) throws(DrayError) -> any Storage {
        try StorageOpener.open(path, for: .filling, cache: cache, name: target)
    }

    /// Gives the finished file its name, in one step: the name is either not there (or the old file's) or the whole new file's.
    ///
    /// Without `replacing`, an existing target is left alone and `refused` is thrown; with it, the new file gets the old one's
    /// permissions and, where the system lets us, its owner. With `isDurable`, content and name survive a crash of the
    /// machine from here on.
    package func publish(replacing: Bool, isDurable: Bool) throws(DrayError) {
        try checkTarget(replacing: replacing)
        if isDurable { try whole.synchronize() }
        if replacing {
            keepPermissions()
            let renamed = systemCall { unsafe rename(path, destination) }
            if case .failure(let error) = renamed { throw cannotName(error) }
        } else {
            try renameWithoutReplacing()
        }
        if isDurable { try whole.synchronizeDirectory() }
    }

    /// Removes the staging file, if it is there.
    package func remove() throws(DrayError) { try Self.remove(path) }

    /// Removes the file at `path`, if it is there.
    static func remove(_ path: String) throws(DrayError) {
        let removed = systemCall { unsafe unlink(path) }
        guard case .failure(let error) = removed, error.number != ENOENT else { return }
        let text = "cannot remove the unfinished file"
        throw DrayError(.resource, text, file: path, errno: error.number)
    }

    private func renameWithoutReplacing() throws(DrayError) {
        let renamed = systemCall { unsafe dray_rename_noreplace(path, destination) }
        guard case .failure(let error) = renamed else { return }
        switch error.number {
        case EEXIST: throw existing()
        case EINVAL, ENOSYS, EOPNOTSUPP: try linkAndUnlink()
        default: throw cannotName(error)
        }
    }

    /// For file systems without RENAME_NOREPLACE: link(2) does not replace either.
    private func linkAndUnlink() throws(DrayError) {
        let linked = systemCall { unsafe link(path, destination) }
        guard case .failure(let error) = linked else { return try remove() }
        throw error.number == EEXIST ? existing() : cannotName(error)
    }

    func keepPermissions() {
        var old = stat()
        guard unsafe stat(destination, &old) == 0 else { return }
        // Where these fail, the new file has the permissions of a new file, which is no reason to lose it.
        _ = unsafe chown(path, old.st_uid, old.st_gid)
        _ = unsafe chmod(path, old.st_mode & 0o7777)
    }

    func existing() -> DrayError {
        DrayError(.refused, "the target exists already; --force replaces it", file: target)
    }

    func cannotName(_ error: SystemErrorNumber) -> DrayError {
        let text = "cannot give the finished file its name"
        return DrayError(.resource, text, file: target, errno: error.number)
    }

    /// The path behind a symbolic link that leads to a file, so that replacing it replaces the file, not the link.
    private static func resolved(_ path: String) -> String {
        guard let real = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }
}
