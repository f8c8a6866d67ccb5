// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Conversion
internal import DiskImage
internal import Testing

/// What a request says of its target before anybody has made one.
@Suite struct TargetSpecTests {
    /// The options of a target, in order; the last of a key counts.
    static let wanted: [(format: ImageFormat, subformats: [String])] = [
        (.raw, []), (.qcow2, []), (.vmdk, []),
        (.vmdk, ["streamOptimized", "monolithicSparse"]),
        (.vmdk, ["monolithicSparse", "streamOptimized"]),
    ]

    @Test(arguments: wanted + VMDKSubformat.allCases.map { (.vmdk, [$0.rawValue]) })
    func `a target is said to be compressed where its payload is packed`(
        format: ImageFormat,
        subformats: [String]
    ) throws {
        var spec = TargetSpec(path: "target", format: format)
        spec.options = subformats.map { FormatOption("subformat", $0) }
        let target = try TargetFormats.make(
            format,
            guestSize: 1 << 20,
            options: spec.options,
            name: spec.path
        )
        let isPacked = if case .packed = target.placement { true } else { false }
        #expect(spec.isCompressed == isPacked)
    }

    @Test func `clusters are compressed where that is asked for`() {
        var spec = TargetSpec(path: "target", format: .qcow2)
        #expect(!spec.isCompressed)
        spec.compression = .balanced
        #expect(spec.isCompressed)
    }
}
