// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// The creation options of a qcow2 image, validated: what `-o` of qemu-img takes, with its defaults and refusals.
package struct QCOW2Options: Sendable, Hashable {
    /// 2 or 3.
    package private(set) var version: UInt32 = 3
    /// The cluster size in bytes, a power of two from 512 to 2 MiB.
    package private(set) var clusterSize: UInt64 = 64 << 10
    /// The width of a refcount in bits, a power of two from 1 to 64.
    package private(set) var refcountBits: UInt64 = 16
    /// Whether writers may postpone refcount updates.
    package private(set) var hasLazyRefcounts = false
    /// Whether L2 entries describe subclusters.
    package private(set) var hasExtendedL2 = false
    /// What is given space in advance.
    package private(set) var preallocation = Preallocation.off
    /// How clusters that are compressed later will be.
    package private(set) var compression = QCOW2Compression.zlib
    /// The backing image, if there is one; its format is never nil.
    package private(set) var backing: BackingReference?

    private var backingName: String?
    private var backingFormat: String?

    /// The defaults.
    package init() {}

    /// Reads `options`; a key that is given twice counts as last given.
    ///
    /// Fails with `invalid` for an unknown key, a value that is not accepted or a combination that makes no sense,
    /// with `unsupported` for what qcow2 has and Dray does not write: encryption and external data files. `size` may
    /// only say what `guestSize` is.
    package init(_ options: [FormatOption], guestSize: UInt64) throws(DrayError) {
        for option in options { try take(option, guestSize) }
        try checkVersion()
        try checkCombinations()
        if let backingName {
            backing = BackingReference(name: backingName, format: backingFormat)
        }
    }

    private mutating func take(_ option: FormatOption, _ guestSize: UInt64) throws(DrayError) {
        switch option.key {
        case "compat": version = try option.choice(Compatibility.self).version
        case "cluster_size": clusterSize = try Self.clusterSize(option)
        case "refcount_bits": refcountBits = try Self.refcountBits(option)
        case "lazy_refcounts": hasLazyRefcounts = try option.flag()
        case "extended_l2": hasExtendedL2 = try option.flag()
        case "preallocation": preallocation = try option.choice(Preallocation.self)
        case "compression_type":
            compression = try option.choice(CompressionName.self) == .zstd ? .zstd : .zlib
        case "backing_file": backingName = try Self.backingName(option)
        case "backing_fmt": backingFormat = try Self.backingFormat(option)
        case "size": try option.requireSize(guestSize)
        case "encryption", "data_file_raw": try refuseIfOn(option)
        case "data_file", "nocow", "extent_size_hint": throw Self.unsupported(option)
        case let key where key.hasPrefix("encrypt."): throw Self.unsupported(option)
        default: throw unknownOption(option, for: .qcow2)
        }
    }

    private static func backingFormat(_ option: FormatOption) throws(DrayError) -> String {
        let format = try option.choice(ImageFormat.self)
        guard !format.isContainer else {
            throw option.invalid("cannot be \(format.rawValue): no layer lies in a container")
        }
        return format.rawValue
    }

    private func checkVersion() throws(DrayError) {
        guard version == 2 else { return }
        let reason: String? =
            if hasLazyRefcounts {
                "lazy_refcounts"
            } else if refcountBits != 16 {
                "refcount_bits other than 16"
            } else if hasExtendedL2 {
                "extended_l2"
            } else if compression != .zlib {
                "a compression_type other than zlib"
            } else {
                nil
            }
        guard let reason else { return }
        throw DrayError(.invalid, "\(reason) needs compatibility level 1.1 (compat=v3)")
    }

    private func checkCombinations() throws(DrayError) {
        let least: UInt64 = 1 << UInt64(QCOW2.leastExtendedClusterBits)
        if hasExtendedL2 && clusterSize < least {
            throw DrayError(.invalid, "extended_l2 needs a cluster_size of at least \(least) bytes")
        }
        if backingFormat != nil && backingName == nil {
            throw DrayError(.invalid, "backing_fmt cannot be used without backing_file")
        }
        if backingName != nil && backingFormat == nil {
            throw DrayError(.invalid, "backing_file needs the format of that file: add backing_fmt")
        }
        if backingName != nil && preallocation != .off && !hasExtendedL2 {
            throw DrayError(
                .invalid,
                "backing_file and preallocation can only be used together if extended_l2 is on"
            )
        }
    }
}

/// The accepted values of `compat`.
private enum Compatibility: String, CaseIterable {
    case v2, v3
    case level010 = "0.10"
    case level11 = "1.1"

    var version: UInt32 { self == .v2 || self == .level010 ? 2 : 3 }
}

/// The accepted values of `compression_type`.
private enum CompressionName: String, CaseIterable {
    case zlib, zstd
}

extension QCOW2Options {
    private static func clusterSize(_ option: FormatOption) throws(DrayError) -> UInt64 {
        let size = try option.size()
        guard size.nonzeroBitCount == 1,
            QCOW2.clusterBits.contains(UInt32(size.trailingZeroBitCount))
        else { throw option.invalid("must be a power of two from 512 to 2M") }
        return size
    }

    private static func refcountBits(_ option: FormatOption) throws(DrayError) -> UInt64 {
        let bits = try option.number()
        guard bits.nonzeroBitCount == 1, bits <= 64 else {
            throw option.invalid("must be a power of two from 1 to 64")
        }
        return bits
    }

    private static func backingName(_ option: FormatOption) throws(DrayError) -> String {
        let count = option.value.utf8.count
        guard (1...QCOW2.longestName).contains(count) else {
            throw option.invalid("must have 1 to \(QCOW2.longestName) bytes, not \(count)")
        }
        try option.refuseProtocol()
        return option.value
    }

    private func refuseIfOn(_ option: FormatOption) throws(DrayError) {
        if try option.flag() { throw Self.unsupported(option) }
    }

    private static func unsupported(_ option: FormatOption) -> DrayError {
        DrayError(.unsupported, "Dray does not write qcow2 images with option '\(option.key)'")
    }
}
