// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Decides how long a file system is asked for its data and holes.
///
/// Some walk the whole file for each question. Asking stops once it took 50 ms in all, and longer than reading what it
/// described would take at 2 GB/s.
package struct ExtentPatience: Sendable {
    /// Whether to ask on.
    package private(set) var isAsking = true
    private var nanosecondsSpent: UInt64 = 0
    private var bytesDescribed: UInt64 = 0
    private static let nanosecondsAtLeast: UInt64 = 50_000_000
    private static let bytesReadPerNanosecond: UInt64 = 2

    /// Starts patient.
    package init() {}

    /// Takes note of an answer: how long it took, and how many bytes it described.
    package mutating func record(nanoseconds: UInt64, bytes: UInt64) {
        nanosecondsSpent = nanosecondsSpent.adding(nanoseconds) ?? .max
        bytesDescribed = bytesDescribed.adding(bytes) ?? .max
        if nanosecondsSpent > Self.nanosecondsAtLeast
            && nanosecondsSpent > bytesDescribed / Self.bytesReadPerNanosecond
        {
            isAsking = false
        }
    }

    /// Takes note that the file system does not know.
    package mutating func giveUp() { isAsking = false }
}
