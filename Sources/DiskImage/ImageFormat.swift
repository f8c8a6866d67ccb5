// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The formats that Dray knows, by the names that qemu-img uses. A new format is a case here, a folder
/// beside Raw/ and a line in ``ImageOpener`` and ``TargetFormats``.
package enum ImageFormat: String, Sendable, Codable, CaseIterable {
    /// The guest's bytes as they are.
    case raw
    /// QEMU's copy-on-write format, version 2 and 3.
    case qcow2
    /// VMware's format: a descriptor and its extents, in one file or several.
    case vmdk
    /// A raw image inside a gzip stream.
    case gzip
    /// A raw image inside an xz stream.
    case xz
    /// A raw image inside a zstd stream.
    case zstd

    /// A tar archive with disks in some format.
    case ova

    /// Whether the format only is around an image: no layer of a chain, and never written.
    package var isContainer: Bool { isStream || self == .ova }

    /// Whether the format is a compressed stream.
    package var isStream: Bool { streamKind != nil }

    /// The kind of compressed stream, if it is one.
    var streamKind: StreamKind? {
        switch self {
        case .gzip: .gzip
        case .xz: .xz
        case .zstd: .zstd
        case .raw, .qcow2, .vmdk, .ova: nil
        }
    }
}
