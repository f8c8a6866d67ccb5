// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The system's words for an error number: strerror_r(3).
func systemErrorText(_ number: Int32) -> String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { space in
        guard let start = space.baseAddress,
            unsafe strerror_r(number, start, space.count) == 0
        else { return "error \(number)" }
        return unsafe String(cString: start)
    }
}
