// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import CLinux
internal import Glibc
internal import Synchronization

/// One opening of a target's lock file: see ``TargetFence``. Closing it gives its lock back.
package final class FenceLock: Sendable {
    /// How long a writer waits for somebody who holds the exclusive lock of a target that is still open: there is only a moment
    /// in which that can be, unless that process is stopped in it.
    static let longestWait: UInt64 = 10_000
    /// The longest sleep between two tries for a lock.
    static let longestSleep: UInt64 = 20

    private let descriptor: FileDescriptor
    private let fence: TargetFence
    private let open: AlignedBuffer
    private let found: AlignedBuffer
    /// Held while this opening has a lock: a second lock through it would be the same one, and end with the first.
    private let using = Mutex<Void>(())

    init(_ descriptor: FileDescriptor, _ fence: TargetFence, open content: [UInt8]) {
        self.descriptor = descriptor
        self.fence = fence
        open = AlignedBuffer(count: content.count)
        open.copy(content, to: 0)
        found = AlignedBuffer(count: content.count)
    }

    /// Runs `body`, which changes the target, while nobody can close it. Fails with `refused` where the target is closed: what
    /// comes now comes late, and trying again does not help.
    package func whileOpen(_ body: () throws(DrayError) -> Void) throws(DrayError) {
        let outcome = using.withLock { _ -> Result<Void, DrayError> in
            do throws(DrayError) {
                try lockShared()
                defer { unlock() }
                try checkOpen()
                try body()
                return .success(())
            } catch { return .failure(error) }
        }
        try outcome.get()
    }

    /// What the file says. Fails with `corrupt` where it is no lock file of this job, and with `resource` where it has no name any more:
    /// then only its job's end can have removed it, or somebody else.
    package func state() throws(DrayError) -> TargetFence.State {
        guard try hasName() else { throw gone() }
        return try using.withLock { _ throws(DrayError) in try read() }
    }

    /// Whether the file still has its name.
    package func hasName() throws(DrayError) -> Bool {
        var raw = stat()
        if case .failure(let error) = systemCall({ unsafe fstat(descriptor.number, &raw) }) {
            throw failure("cannot look at the lock file", error)
        }
        return raw.st_nlink > 0
    }

    /// Writes a state, from which on no writer begins. Those that have begun are waited for with ``lockExclusive(atMost:isCancelled:)``.
    package func mark(_ state: TargetFence.State, isDurable: Bool) throws(DrayError) {
        var letter = state.letter
        let written = systemCall {
            unsafe pwrite(descriptor.number, &letter, 1, off_t(TargetFence.stateOffset))
        }
        if case .failure(let error) = written { throw failure("cannot close the target", error) }
        guard isDurable, case .failure(let error) = systemCall({ fdatasync(descriptor.number) })
        else { return }
        throw failure("cannot make the lock file durable", error)
    }

    /// Takes the exclusive lock, to be held until this opening is closed: no writer is left then. Waits for those that there are, a
    /// stopped one too, for `milliseconds` at most; false where that was not enough. Fails with `cancelled` once `isCancelled`.
    package func lockExclusive(
        atMost milliseconds: UInt64?,
        isCancelled: () -> Bool
    ) throws(DrayError) -> Bool {
        var wait = LockWait()
        while try !tryLock(exclusively: true) {
            if isCancelled() { throw DrayError(.cancelled, "stopped on request") }
            if let milliseconds, wait.milliseconds >= milliseconds { return false }
            wait.sleep(atMost: Self.longestSleep)
        }
        return true
    }

    private func lockShared() throws(DrayError) {
        var wait = LockWait()
        while try !tryLock(exclusively: false) {
            try checkOpen()
            guard wait.milliseconds < Self.longestWait else {
                throw DrayError(
                    .resource,
                    "another process has locked the target and stands still",
                    file: fence.target
                )
            }
            wait.sleep(atMost: Self.longestSleep)
        }
    }

    private func tryLock(exclusively: Bool) throws(DrayError) -> Bool {
        let number = descriptor.number
        let result = systemCall {
            exclusively ? dray_lock_exclusive(number) : dray_lock_shared(number)
        }
        guard case .failure(let error) = result else { return true }
        switch error.number {
        case EAGAIN, EACCES: return false
        case EINVAL, ENOSYS, EOPNOTSUPP:
            throw DrayError(
                .unsupported,
                "the target's file system has no locks, without which several processes cannot write a file",
                file: fence.target,
                errno: error.number
            )
        default: throw failure("cannot lock the target", error)
        }
    }

    private func unlock() {
        // It cannot fail on a descriptor that is open; closing it would do it too.
        _ = dray_unlock(descriptor.number)
    }

    private func checkOpen() throws(DrayError) {
        guard try hasName() else { throw gone() }
        switch try read() {
        case .open: return
        case .sealed: throw late("finished")
        case .discarded: throw late("discarded")
        }
    }

    private func read() throws(DrayError) -> TargetFence.State {
        let count = open.count
        let result = unsafe found.withMutableBytes(0..<count) { bytes in
            systemCall { unsafe pread(descriptor.number, bytes.baseAddress, count, 0) }
        }
        switch result {
        case .failure(let error): throw failure("cannot read the lock file", error)
        case .success(let length):
            let different = found.firstDifference(from: open, 0..<count)
            if length == count, different == nil { return .open }
            return try closedState(length)
        }
    }

    /// The state of a file that differs from an open one: in the letter alone, or it is none of ours.
    private func closedState(_ length: Int) throws(DrayError) -> TargetFence.State {
        let place = TargetFence.stateOffset
        let letter = found.bytes(place..<place + 1)[0]
        found.copy(open, place..<place + 1, to: place)
        let isOurs = length == open.count && found.firstDifference(from: open, 0..<length) == nil
        guard isOurs, let state = TargetFence.State.allCases.first(where: { $0.letter == letter })
        else {
            throw DrayError(
                .corrupt,
                "\(fence.path) is no lock file of this job",
                file: fence.target
            )
        }
        return state
    }

    private func late(_ word: String) -> DrayError {
        DrayError(.refused, "too late: the job's target is \(word) already", file: fence.target)
    }

    private func gone() -> DrayError {
        DrayError(.resource, "the job's lock file is gone", file: fence.target, errno: ENOENT)
    }

    private func failure(_ text: String, _ error: SystemErrorNumber) -> DrayError {
        DrayError(.resource, text, file: fence.target, errno: error.number)
    }
}
