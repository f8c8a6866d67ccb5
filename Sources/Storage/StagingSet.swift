// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// A target on its way that has several files: the one that the user named, and others beside it, each with a staging file of its own.
/// A target of one file is the simple case.
///
/// The named file tells where the others are, so it gets its staging name last and its own name last, and loses the
/// former first: while it is there, the set is there. The others keep their staging names until the named file has its own; so
/// whoever goes on where another was cut off knows by the inode what is ours.
package struct StagingSet: Sendable, Hashable {
    /// The file that the user named.
    package let main: StagingFile
    /// The others, in order.
    package let others: [StagingFile]

    /// Names the staging files of a job's target, which has files of these names beside it. Nothing is created. Fails as
    /// ``StagingFile/init(target:job:)`` does, and with `unsupported` where a target of several files is a symbolic link: who followed
    /// it would look for the others beside the link.
    package init(target: String, job: String, others names: [String] = []) throws(DrayError) {
        main = try StagingFile(target: target, job: job)
        others = names.enumerated().map { [main] in
            StagingFile(number: $0.offset + 1, named: $0.element, beside: main)
        }
        guard names.isEmpty || !main.isLink else {
            throw DrayError(
                .unsupported,
                "a target of several files cannot be a symbolic link",
                file: target
            )
        }
    }

    /// Whether the target is on its way.
    package var exists: Bool { main.exists }

    /// The number of files.
    package var count: Int { 1 + others.count }

    /// File `index`: the named one first.
    package func file(_ index: Int) -> StagingFile { index == 0 ? main : others[index - 1] }

    /// Fails as ``StagingFile/checkTarget(replacing:)`` does, for each file.
    package func checkTarget(replacing: Bool) throws(DrayError) {
        for index in 0..<count { try file(index).checkTarget(replacing: replacing) }
    }

    /// Makes the staging files that are not there: `prepare` fills each before it has its name.
    package func create(
        replacing: Bool,
        cache: CacheMode,
        _ prepare: (any Storage, _ index: Int) throws(DrayError) -> Void
    ) throws(DrayError) {
        guard !exists else { return }
        try checkTarget(replacing: replacing)
        for index in (0..<count).reversed() {
            try file(index).create(replacing: replacing, cache: cache) {
                storage throws(DrayError) in
                try prepare(storage, index)
            }
        }
    }

    /// Gives the finished files their names. The files of an old target are moved aside before, its named file first: at no moment is
    /// there a mixture that could be opened, and until ours has all its names a discard can bring the old one back. Cut off anywhere, it
    /// is done again from there.
    package func publish(replacing: Bool, isDurable: Bool) throws(DrayError) {
        guard !others.isEmpty else {
            return try main.publish(replacing: replacing, isDurable: isDurable)
        }
        // What takes long comes before the lock.
        if isDurable {
            for index in 0..<count where file(index).exists { try file(index).synchronize() }
        }
        let lock = NamingLock(PathParts(main.path).directory)
        try withExtendedLifetime(lock) { () throws(DrayError) in
            try main.checkTarget(replacing: replacing)
            if replacing { try moveOldAside() }
            for other in others { try other.publishLink(isDurable: isDurable) }
            if isDurable { try main.synchronizeDirectory() }
            try checkOthers()
            try main.publish(replacing: replacing, isDurable: isDurable)
            try removeLinks()
        }
    }

    /// Fails with `refused` where another file has the name of one of ours that had it already: another job's, which must not be opened
    /// as a part of this target.
    package func checkOthers() throws(DrayError) {
        for other in others where other.exists && !other.isPublished {
            throw DrayError(
                .refused,
                "another job has replaced this file while the target got its name",
                file: other.target
            )
        }
    }

    private func moveOldAside() throws(DrayError) {
        for index in 0..<count {
            let file = file(index)
            guard file.exists, !file.isPublished, file.targetExists else { continue }
            try file.checkTarget(replacing: true)
            file.keepPermissions()
            try file.moveTarget(to: main.stem + Self.oldPrefix + String(index))
        }
    }

    /// Removes the staging names of files that have their own, and the old target's files, once the named file has its own.
    package func removeLinks() throws(DrayError) {
        guard !others.isEmpty else { return }
        for other in others.reversed() { try other.remove() }
        for index in 0..<count {
            try StagingFile.remove(main.stem + Self.oldPrefix + String(index))
        }
    }

    /// What follows the stem in the name of an old target's file that is moved aside, before its number.
    private static let oldPrefix = "old."

    /// Takes the staging name of `main` away, which gets the name `mark` instead. True where it could not have that one, and is removed: then
    /// a discard that is cut off is not done again in full, but nothing large stays behind where a directory has no room for names.
    private static func retire(_ main: StagingFile, _ mark: String) throws(DrayError) -> Bool {
        do throws(DrayError) {
            if main.exists { try main.move(to: mark) }
            return false
        } catch {
            guard main.exists else { return false }
            try main.remove()
            return true
        }
    }

    /// Removes what the job of a target of several files left: of a target that does not have its name all files, also those that
    /// have theirs already, and the old target comes back; else what only waits to be removed. `name` tells what another file is called. With `keepsFiles` the
    /// staging files stay. Cut off anywhere, it is done again from there.
    package static func discard(
        _ main: StagingFile,
        keepsFiles: Bool,
        named name: (_ number: Int) -> String
    ) throws(DrayError) {
        // A seal that stands still finds its staging file gone, before the first of the others goes.
        let mark = main.stem + "gone"
        let isRemoved = keepsFiles ? false : try retire(main, mark)
        let found = try main.otherNames()
        let isUnnamed = isRemoved || main.exists || found.contains("gone")
        for suffix in found where suffix != "gone" && !suffix.hasPrefix(oldPrefix) {
            if let number = Int(suffix.prefix { $0 != "." }), isUnnamed {
                let other = StagingFile(number: number, named: name(number), beside: main)
                if other.isPublished { try other.removeTarget() }
            }
            if !keepsFiles || !isUnnamed { try StagingFile.remove(main.stem + suffix) }
        }
        // The named file last: with it the old target is there again.
        for suffix in found.sorted().reversed() where suffix.hasPrefix(oldPrefix) {
            guard let number = Int(suffix.dropFirst(oldPrefix.count)) else { continue }
            let old = main.stem + suffix
            guard isUnnamed else {
                try StagingFile.remove(old)
                continue
            }
            let file =
                number == 0 ? main : StagingFile(number: number, named: name(number), beside: main)
            try file.restoreTarget(from: old)
        }
        try StagingFile.remove(mark)
    }
}
