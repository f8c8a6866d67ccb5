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
    /// Whether zeros are stored like data (`-S 0`, and formats that cannot mark zeros which hide a backing image).
    let storesZeros: Bool

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
                try classifier.add(run.range.length, kind(of: run.extent), emit)
            }
        }
        try classifier.finish(emit)
    }

    private var zero: GranuleClassifier.Class { storesZeros ? .content : .zero }

    private func kind(of extent: Extent) -> GranuleClassifier.Class {
        switch extent.state {
        case .data: .content
        case .zero: zero
        case .hole: extent.depth + 1 == layersAboveBase ? .deferred : zero
        }
    }
}

extension SourceClassification {
    /// By state alone, to the byte: for what is only read.
    static let states = SourceClassification(granule: 1, layersAboveBase: nil, storesZeros: false)
}
