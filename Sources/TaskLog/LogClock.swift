// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The clocks that the log and the services use.
package enum LogClock {
    /// Milliseconds since 1970, for records' timestamps.
    package static func wallMilliseconds() -> Int64 { read(CLOCK_REALTIME) }

    /// Milliseconds of a clock that never steps, for time-outs.
    package static func monotonicMilliseconds() -> Int64 { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
