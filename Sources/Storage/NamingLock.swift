// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// Held while the files of a target get their names: of two jobs that replace the same target one does so after the other, or what is
/// there at the end might have files of both.
///
/// The lock is one of the directory, flock(2)'s, as it leaves no file behind. Where there is none (NFS wants a file that is open for
/// writing), or somebody keeps it, the naming goes on without: a whole image is not lost over it.
final class NamingLock {
    /// How long somebody else's is waited for, in milliseconds: naming takes a moment.
    private static let longestWait: UInt64 = 10_000
    private static let longestSleep: UInt64 = 20

    private let descriptor: FileDescriptor?

    /// Takes the lock of `directory`, until the object goes.
    init(_ directory: String) {
        let opened = systemCall { unsafe dray_open(directory, O_RDONLY | O_CLOEXEC, 0) }
        guard case .success(let number) = opened else {
            descriptor = nil
            return
        }
        descriptor = FileDescriptor(owning: number)
        var wait = LockWait()
        while case .failure(let error) = systemCall({ flock(number, LOCK_EX | LOCK_NB) }) {
            guard error.number == EWOULDBLOCK, wait.milliseconds < Self.longestWait else { return }
            wait.sleep(atMost: Self.longestSleep)
        }
    }
}
