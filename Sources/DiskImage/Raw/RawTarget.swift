// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import Storage

/// Writes raw images: the guest's bytes at their own offsets, nothing else.
package struct RawTarget: TargetFormat {
    package let format = ImageFormat.raw
    package let guestSize: UInt64
    package let placement = Placement.identity(start: HostOffset(0))
    private let preallocation: Preallocation

    /// A target for `guestSize` bytes. Takes `preallocation` (off, falloc, full), and `size` where it says what
    /// `guestSize` is; fails with `invalid` for anything else.
    package init(guestSize: UInt64, options: [FormatOption]) throws(DrayError) {
        guard guestSize <= UnitSize.largestDisk else {
            throw DrayError(.invalid, "a disk of \(guestSize) bytes is too large")
        }
        var preallocation = Preallocation.off
        for option in options {
            switch option.key {
            case "preallocation":
                preallocation = try option.choice(Preallocation.self)
                guard preallocation != .metadata else {
                    throw option.invalid(
                        "does not accept 'metadata' for raw, but off, falloc, full"
                    )
                }
            case "size":
                guard try option.size() == guestSize else {
                    throw option.invalid("cannot differ from the source's, \(guestSize) bytes")
                }
            case "nocow", "extent_size_hint":
                throw DrayError(.unsupported, "Dray does not support option '\(option.key)'")
            default: throw unknownOption(option, for: .raw)
            }
        }
        self.guestSize = guestSize
        self.preallocation = preallocation
    }

    /// The options, by name.
    static let options: [TargetOption] = [
        TargetOption("preallocation", .text, "Preallocation mode (off, falloc, full)"),
        TargetOption("size", .size, "Virtual disk size; can only be the source's"),
    ]

    package var keepsSpace: Bool { preallocation.takesSpace }

    package func prepare(_ storage: any Storage, file: Int) throws(DrayError) {
        try grow(storage)
        try preallocation.apply(to: storage, HostOffset(0), length: guestSize)
    }

    /// Flushes: all is written already. `ranges` is not looked at.
    package func seal(
        _ storage: any Storage,
        file: Int,
        _ ranges: [RangePlacement],
        _ identity: TargetIdentity
    ) throws(DrayError) {
        try grow(storage)
        try storage.flush()
    }

    /// A file that is longer is one that the user wants written in place: it keeps its length.
    private func grow(_ storage: any Storage) throws(DrayError) {
        if storage.length < guestSize { try storage.resize(guestSize) }
    }
}
