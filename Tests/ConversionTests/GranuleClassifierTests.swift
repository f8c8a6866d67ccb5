// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import Testing

@Suite struct GranuleClassifierTests {
    typealias Class = GranuleClassifier.Class

    private func classify(_ granule: UInt64, _ walk: [(UInt64, Class)]) throws -> [GranuleClassifier
        .Run]
    {
        var classifier = GranuleClassifier(granule: granule)
        var runs: [GranuleClassifier.Run] = []
        for (length, kind) in walk { try classifier.add(length, kind) { runs.append($0) } }
        try classifier.finish { runs.append($0) }
        return runs
    }

    @Test func `aligned runs stay what they are`() throws {
        let runs = try classify(64, [(128, .content), (64, .zero), (640, .deferred)])
        #expect(runs.map(\.kind) == [.content, .zero, .deferred])
        #expect(runs.map(\.count) == [2, 1, 10])
    }

    @Test func `a granule that is mixed must be read`() throws {
        let runs = try classify(64, [(70, .zero), (58, .deferred), (64, .zero)])
        #expect(runs.map(\.kind) == [.zero, .content, .zero])
        #expect(runs.map(\.count) == [1, 1, 1])
    }

    @Test func `many small pieces of one class make one run`() throws {
        let runs = try classify(64, Array(repeating: (3, .zero), count: 64))
        #expect(runs.map(\.count) == [3])
    }

    @Test func `a short last granule counts`() throws {
        let runs = try classify(64, [(65, .content)])
        #expect(runs.map(\.count) == [2])
    }
}
