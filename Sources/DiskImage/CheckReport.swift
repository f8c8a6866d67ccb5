// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// What verifying an image's metadata found, in the terms of `qemu-img check`.
package struct CheckReport: Sendable, Hashable {
    /// Places where the metadata contradicts itself.
    package var corruptions: UInt64 = 0
    /// Clusters that are counted as used but that nothing uses.
    package var leaks: UInt64 = 0
    /// Things that could not be verified.
    package var checkErrors: UInt64 = 0
    /// Guest clusters of the disk.
    package var totalClusters: UInt64 = 0
    /// Guest clusters that are allocated.
    package var allocatedClusters: UInt64 = 0
    /// Allocated clusters that do not follow the one before them.
    package var fragmentedClusters: UInt64 = 0
    /// Allocated clusters that are compressed.
    package var compressedClusters: UInt64 = 0
    /// The first byte behind everything that is used.
    package var imageEndOffset: UInt64 = 0
    /// A line for each finding, at most 100.
    package var findings: [String] = []

    /// A report of nothing.
    package init() {}
}
