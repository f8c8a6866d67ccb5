// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import Conversion
internal import DiskImage

/// The results of a plan's ranges, in order and without digests, as a `seal` task carries them where they are few. They travel as
/// results of ranges do elsewhere.
package struct GivenResults: Sendable, Hashable, Codable {
    /// The most ranges whose results a task carries.
    package static let mostRanges = 8
    /// The most runs that their maps may have in all: every task is held by its worker, its coordinator and the log.
    package static let mostRuns = 2048

    /// The results.
    package private(set) var results: [RangeResult] = []

    /// Makes a list without results.
    package init() {}

    package init(from decoder: any Decoder) throws {
        results = try [WireRangeResult](from: decoder).map { try $0.result() }
    }

    package func encode(to encoder: any Encoder) throws {
        try results.map { WireRangeResult($0) }.encode(to: encoder)
    }

    /// Adds the result of the next range. Says whether the list still can be given.
    package mutating func append(_ result: RangeResult) -> Bool {
        var result = result
        result.digest = nil
        results.append(result)
        let runs = results.reduce(0) { $0 + ($1.placement?.runs.count ?? 0) }
        return results.count <= Self.mostRanges && runs <= Self.mostRuns
    }
}
