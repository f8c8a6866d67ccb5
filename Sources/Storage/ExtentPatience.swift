// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Decides how long a file system is asked for its data and holes.
///
/// Some walk the whole file for each question. Asking stops once it took some time in all, and longer than reading what it
/// described would take at 2 GB/s. The time is the processor's: on a busy machine any call waits for its turn, and what an image
/// holds must not seem to depend on that. So waiting counts too, for storage that is far away, but little.
package struct ExtentPatience: Sendable {
    /// For who can do without the answers: 50 ms, or 1 s of waiting.
    package static let short = ExtentPatience(nanosecondsAtLeast: 50_000_000)
    /// For who needs the answers that somebody else got: 5 s, or 100 s of waiting.
    package static let long = ExtentPatience(nanosecondsAtLeast: 5_000_000_000)
    /// Not to ask at all.
    package static let none = ExtentPatience(nanosecondsAtLeast: 0, isAsking: false)

    /// Whether to ask on.
    package private(set) var isAsking: Bool
    /// Whether asking has stopped for the time it took.
    package private(set) var isOver = false
    private var nanosecondsSpent: UInt64 = 0
    private var bytesDescribed: UInt64 = 0
    private let nanosecondsAtLeast: UInt64
    private static let bytesReadPerNanosecond: UInt64 = 2
    /// As much waiting counts like one unit of the processor's time.
    private static let waitingDiscount: UInt64 = 20

    private init(nanosecondsAtLeast: UInt64, isAsking: Bool = true) {
        self.nanosecondsAtLeast = nanosecondsAtLeast
        self.isAsking = isAsking
    }

    /// Takes note of an answer: the thread's processor time for it, the time that went by (both in ns), and how many bytes it
    /// described.
    package mutating func record(processor: UInt64, elapsed: UInt64, bytes: UInt64) {
        let spent = max(processor, elapsed / Self.waitingDiscount)
        nanosecondsSpent = nanosecondsSpent.adding(spent) ?? .max
        bytesDescribed = bytesDescribed.adding(bytes) ?? .max
        if nanosecondsSpent > nanosecondsAtLeast
            && nanosecondsSpent > bytesDescribed / Self.bytesReadPerNanosecond
        {
            isAsking = false
            isOver = true
        }
    }

    /// Takes note that the file system does not know.
    package mutating func giveUp() { isAsking = false }
}
