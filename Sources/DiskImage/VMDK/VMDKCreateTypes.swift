// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// What `createType` may be.
enum VMDKCreateTypes {
    /// Disks that are files.
    static let files: Set<String> = [
        "monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat",
        "2GbMaxExtentSparse", "2GbMaxExtentFlat", "streamOptimized", "custom", "vmfs", "vmfsThin",
        "vmfsPreallocated", "vmfsEagerZeroedThick", "vmfsSparse", "seSparse",
    ]
    /// Disks that are devices.
    static let devices: Set<String> = [
        "fullDevice", "partitionedDevice", "vmfsRaw", "vmfsRDM", "vmfsRDMP", "vmfsRawDeviceMap",
        "vmfsPassthroughRawDeviceMap",
    ]
}
