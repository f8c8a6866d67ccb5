// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The kinds of VMDK image that Dray writes, by the names that descriptors (`createType`) and `-o subformat` have for them.
package enum VMDKSubformat: String, Sendable, Hashable, CaseIterable {
    /// One file: grains as they come.
    case monolithicSparse
    /// A descriptor and one file that is a raw image.
    case monolithicFlat
    /// A descriptor and files of less than 2 GiB, each with its grains as they come.
    case twoGbMaxExtentSparse
    /// A descriptor and files of less than 2 GiB, which are a raw image in pieces.
    case twoGbMaxExtentFlat
    /// One file: compressed grains, in guest order.
    case streamOptimized

    /// Whether the payload is raw.
    var isFlat: Bool { self == .monolithicFlat || self == .twoGbMaxExtentFlat }

    /// Whether the payload is compressed, and comes in guest order.
    var isCompressed: Bool { self == .streamOptimized }

    /// Whether the disk is divided into files of less than 2 GiB.
    var isSplit: Bool { self == .twoGbMaxExtentSparse || self == .twoGbMaxExtentFlat }

    /// Whether the descriptor is in the file that has the payload.
    var embedsDescriptor: Bool { self == .monolithicSparse || self == .streamOptimized }
}
