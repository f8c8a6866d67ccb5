// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import TestSupport
internal import Testing

/// A conversion with a journal that is killed at random times.
struct KilledConversion {
    let command: [String]

    /// The conversion of the raw image `source` to `target` by `options`, which continues by `journal`.
    init(_ options: [String], journal: String, _ source: String, _ target: String) {
        command =
            [DrayBinary.path, "convert", "-f", "raw", "--journal", journal] + options
            + [source, target]
    }

    /// Starts it up to four times, and kills it within `time` microseconds; says how often that came before its end.
    func kill(
        within time: Range<UInt32>,
        using generator: inout SeededGenerator
    ) throws -> Int {
        for kills in 0..<4 {
            let running = try RunningTool(command)
            usleep(UInt32.random(in: time, using: &generator))
            running.kill()
            if try running.wait().succeeded { return kills }
        }
        return 4
    }

    /// Kills it and lets it go on to its end until `wanted` runs were killed, which takes four times as many at the most. After each one
    /// `check` looks at what is there, with the words for what it finds, and removes it.
    func killAndResume(
        _ wanted: Int,
        within first: Range<UInt32>,
        using generator: inout SeededGenerator,
        _ check: (Comment) throws -> Void
    ) throws {
        var (times, resumed, round) = (first, 0, 0)
        while resumed < wanted, round < 4 * wanted {
            round += 1
            let seed: Comment = "DRAY_SEED=\(generator.seed) round \(round)"
            if try kill(within: times, using: &generator) > 0 {
                resumed += 1
            } else {
                times = Self.sooner(times)
            }
            let last = try Tool.run(command)
            try #require(last.succeeded, "\(seed): \(last.error)")
            try check(seed)
        }
        #expect(resumed == wanted, "DRAY_SEED=\(generator.seed): too few were killed")
    }

    /// Does what the conversion does undisturbed; the times, in microseconds, in which a kill comes before its end, as a rule.
    static func times(of undisturbed: () throws -> Void) rethrows -> Range<UInt32> {
        let spent = try ContinuousClock().measure(undisturbed) / .microseconds(1)
        return 2000..<UInt32(max(4000, spent))
    }

    /// Such times on a machine that has less to do than when they were taken: a conversion has ended before it was killed.
    static func sooner(_ times: Range<UInt32>) -> Range<UInt32> {
        times.lowerBound..<max(2 * times.lowerBound, times.upperBound / 2)
    }
}
