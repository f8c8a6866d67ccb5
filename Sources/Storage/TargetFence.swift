// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import CLinux
internal import Glibc

/// The fence around a target that several processes write: a lock file beside the staging file says whether the job may still
/// write there, and is locked while somebody does.
///
/// Whoever writes holds a shared lock and has read there that the target is open. Whoever ends the target first writes that it
/// is closed, so that nobody begins any more, and then takes the exclusive lock, for which it waits until
/// everybody has ended. The locks are open-file-description locks (fcntl(2)): they go with their process.
///
/// The file is one line: `dray lock 1`, a letter for the state (`o`pen, `s`ealed, `d`iscarded), the job.
package struct TargetFence: Sendable, Hashable {
    /// What may be done to the target.
    package enum State: Sendable, Hashable, CaseIterable {
        /// Ranges are written.
        case open
        /// The target is being finished, or is.
        case sealed
        /// What is there is being removed.
        case discarded

        /// The letter in the file.
        var letter: UInt8 {
            switch self {
            case .open: UInt8(ascii: "o")
            case .sealed: UInt8(ascii: "s")
            case .discarded: UInt8(ascii: "d")
            }
        }
    }

    /// Where the state's letter stands.
    static let stateOffset = 12
    /// The lock file: `.NAME.JOB.lock` in the target's directory.
    package let path: String
    /// The target, for messages.
    let target: String
    private let job: String

    /// Names the fence of a staging file's target. Nothing is created.
    package init(_ staging: StagingFile) {
        path = staging.lockPath
        target = staging.target
        job = staging.job
    }

    /// Makes the lock file, in state open, unless one is there. Returns whether it was made here.
    package func create(isDurable: Bool) throws(DrayError) -> Bool {
        let whole = WholeFile(path: path, name: target)
        let content = content(.open)
        let buffer = AlignedBuffer(count: content.count)
        buffer.copy(content, to: 0)
        let isOurs = try whole.create(isDurable ? .writeback : .unsafe) {
            storage throws(DrayError) in
            try storage.write(HostOffset(0), from: buffer, 0..<content.count)
            try storage.flush()
        }
        if isOurs && isDurable { try whole.synchronizeDirectory() }
        return isOurs
    }

    /// Opens the lock file; nil where there is none. Every thread that writes needs an opening of its own: the locks are the
    /// opening's, not the thread's. Only with `canClose` may the state be changed.
    package func open(canClose: Bool = false) throws(DrayError) -> FenceLock? {
        let flags = (canClose ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        switch systemCall({ unsafe dray_open(path, flags, 0) }) {
        case .success(let number):
            return FenceLock(FileDescriptor(owning: number), self, open: content(.open))
        case .failure(let error) where error.number == ENOENT: return nil
        case .failure(let error):
            let text = "cannot open the lock file \(path)"
            throw DrayError(.resource, text, file: target, errno: error.number)
        }
    }

    /// Closes the target and removes it: `removeTarget` takes the staging file away. Harmless where all is gone, or the target has
    /// its name.
    ///
    /// Whoever stands still in a write or a seal is waited for at most `milliseconds`. He cannot do harm: what he writes to has no
    /// name any more, and nothing is left to give the target's name to.
    package func discard(
        waiting milliseconds: UInt64 = 5000,
        _ removeTarget: () throws(DrayError) -> Void
    ) throws(DrayError) {
        guard let lock = try open(canClose: true), try lock.hasName() else {
            return try removeTarget()
        }
        _ = try lock.state()
        try lock.mark(.discarded, isDurable: false)
        _ = try lock.lockExclusive(atMost: milliseconds) { false }
        try removeTarget()
        try remove()
    }

    /// Removes the lock file, if it is there.
    package func remove() throws(DrayError) {
        let removed = systemCall { unsafe unlink(path) }
        guard case .failure(let error) = removed, error.number != ENOENT else { return }
        let text = "cannot remove the lock file \(path)"
        throw DrayError(.resource, text, file: target, errno: error.number)
    }

    private func content(_ state: State) -> [UInt8] {
        Array("dray lock 1 ".utf8) + [state.letter] + Array(" \(job)\n".utf8)
    }
}
