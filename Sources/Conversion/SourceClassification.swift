// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage

/// How a source's runs are classed for one target.
struct SourceClassification: Sendable {
    /// The unit of classification, in bytes.
    let granule: UInt64
    /// How many layers of the source lie above the target's backing image; nil where the target has none or where the source's
    /// chain does not contain it: then everything is copied.
    let layersAboveBase: Int?
    /// Zeros before this guest offset are stored like data (`-S 0`, and formats that cannot mark zeros which hide a backing image).
    let storesZerosBefore: UInt64

    /// Walks `range` of `disk` in runs of whole granules.
    func forEachRun(
        of range: GuestRange,
        on disk: SourceDisk,
        _ emit: (GranuleClassifier.Run) throws(DrayError) -> Void
    ) throws(DrayError) {
        var classifier = GranuleClassifier(granule: granule)
        if layersAboveBase == 0 {
            try classifier.add(range.length, .deferred, emit)
        } else {
            let depth = layersAboveBase ?? Int.max
            try disk.forEachExtent(in: range, depth: depth) { run throws(DrayError) in
                let stored = storedLength(of: run)
                if stored > 0 { try classifier.add(stored, .content, emit) }
                guard run.range.length > stored else { return }
                try classifier.add(run.range.length - stored, kind(of: run.extent), emit)
            }
        }
        try classifier.finish(emit)
    }

    private func kind(of extent: Extent) -> GranuleClassifier.Class {
        switch extent.state {
        case .data: .content
        case .zero: .zero
        case .hole: extent.depth + 1 == layersAboveBase ? .deferred : .zero
        }
    }

    /// How much of a run of zeros, from its start, is stored like data.
    private func storedLength(of run: SourceExtent) -> UInt64 {
        guard kind(of: run.extent) == .zero else { return 0 }
        return min(run.range.length, storesZerosBefore.subtractingOrZero(run.range.start.bytes))
    }
}

extension SourceClassification {
    /// By state alone, to the byte: for what is only read.
    static let states = SourceClassification(granule: 1, layersAboveBase: nil, storesZerosBefore: 0)
}
