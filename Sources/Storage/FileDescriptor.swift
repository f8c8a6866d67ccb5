// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// An open file of the system: closed with its last owner.
final class FileDescriptor: Sendable {
    /// The number that system calls take.
    let number: Int32

    /// Takes `number` over; nobody else may close it.
    init(owning number: Int32) { self.number = number }

    deinit {
        // Nothing can be done about a failure here: whoever needs the data durable has flushed before.
        _ = close(number)
    }
}

/// The result of a system call: its value, or the error number read in the same expression.
@inline(__always)
func systemCall<I: FixedWidthInteger>(_ body: () -> I) -> Result<I, SystemErrorNumber> {
    while true {
        let value = body()
        let number = errno
        if value != -1 { return .success(value) }
        // EINTR: a signal handler ran before anything was done, so the call is simply made again.
        if number != EINTR { return .failure(SystemErrorNumber(number: number)) }
    }
}

/// An error number of the system: errno(3).
struct SystemErrorNumber: Error, Equatable {
    /// The number.
    let number: Int32
}
