// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// How the grains of a stream-optimized extent are compressed.
struct VMDKStreamCodec: Sendable, Hashable {
    private let effort: CompressionEffort
    private let encoderMemory: Int

    /// Fails with `invalid` for a level that the codec does not have.
    init(_ effort: CompressionEffort) throws(DrayError) {
        self.effort = effort
        try DeflateEncoder.check(effort)
        encoderMemory = DeflateEncoder.memory(effort, .vmdk)
    }

    /// The rules of a target with these: a range is what a grain table covers, and its table follows its grains.
    func packing(_ rules: Allocation) -> Packing {
        Packing(
            rules: rules,
            largestStored: VMDKStreamEncoder.largestStored,
            rangeUnit: VMDKSparseLayout.tableCoverage,
            trailerLength: VMDKStreamTables.trailerLength,
            allowsGaps: false,
            encoderMemory: encoderMemory,
            encoding: "\(DeflateEncoder.name(effort, .vmdk)) \(effort.text) with markers"
        )
    }

    /// An encoder of grains.
    func makeEncoder() -> any ClusterEncoder { VMDKStreamEncoder(effort) }
}
