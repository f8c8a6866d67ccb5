// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// The creation options of a VMDK image, validated: what `-o` of qemu-img takes, with its defaults and refusals.
package struct VMDKOptions: Sendable, Hashable {
    /// The longest name of a parent, in bytes: what qemu reads.
    static let longestParentName = 1023

    /// What the image is made of.
    package private(set) var subformat = VMDKSubformat.monolithicSparse
    /// The adapter that the disk is made for: it decides the geometry.
    package private(set) var adapter = VMDKAdapter.ide
    /// The version of the virtual hardware.
    package private(set) var hardwareVersion = "4"
    /// The version of the guest tools.
    package private(set) var toolsVersion = "2147483647"
    /// Whether zeros that hide the parent's data are marked in the grain table.
    package private(set) var hasZeroedGrains = false
    /// What of flat files is given space in advance.
    package private(set) var preallocation = Preallocation.off
    /// The parent image, if there is one.
    package private(set) var backing: BackingReference?

    /// The defaults.
    package init() {}

    /// Reads `options`; a key that is given twice counts as last given.
    ///
    /// Fails with `invalid` for an unknown key, a value that is not accepted or a combination that makes no sense. `size` may only say
    /// what `guestSize` is.
    package init(_ options: [FormatOption], guestSize: UInt64) throws(DrayError) {
        var wanted = Wanted()
        for option in options { try take(option, guestSize, &wanted) }
        if wanted.isCompatible6 {
            guard wanted.hardwareVersion == nil else {
                throw DrayError(.invalid, "compat6 cannot be used together with hwversion")
            }
            hardwareVersion = "6"
        } else if let version = wanted.hardwareVersion {
            hardwareVersion = version
        }
        if let name = wanted.parent {
            backing = BackingReference(name: name, format: ImageFormat.vmdk.rawValue)
        } else if wanted.hasParentFormat {
            throw DrayError(.invalid, "backing_fmt cannot be used without backing_file")
        }
        try checkCombinations()
    }

    /// What only all options together decide.
    private struct Wanted {
        var isCompatible6 = false
        var hardwareVersion: String?
        var parent: String?
        var hasParentFormat = false
    }

    private mutating func take(
        _ option: FormatOption,
        _ guestSize: UInt64,
        _ wanted: inout Wanted
    ) throws(DrayError) {
        switch option.key {
        case "subformat": subformat = try option.choice(VMDKSubformat.self)
        case "adapter_type": adapter = try option.choice(VMDKAdapter.self)
        case "hwversion": wanted.hardwareVersion = try Self.version(option)
        case "toolsversion": toolsVersion = try Self.version(option) ?? toolsVersion
        case "compat6": wanted.isCompatible6 = try option.flag()
        case "zeroed_grain": hasZeroedGrains = try option.flag()
        case "preallocation": preallocation = try option.choice(Preallocation.self)
        case "backing_file": wanted.parent = try Self.parentName(option)
        case "backing_fmt":
            guard option.value == ImageFormat.vmdk.rawValue else {
                throw option.invalid("must be vmdk: no other image can be a vmdk image's parent")
            }
            wanted.hasParentFormat = true
        case "size": try option.requireSize(guestSize)
        case "nocow", "extent_size_hint":
            throw DrayError(.unsupported, "Dray does not support option '\(option.key)'")
        default: throw unknownOption(option, for: .vmdk)
        }
    }

    private func checkCombinations() throws(DrayError) {
        if subformat.isFlat {
            guard backing == nil else {
                throw DrayError(.invalid, "a flat image cannot have a backing_file")
            }
            guard !hasZeroedGrains else {
                throw DrayError(.invalid, "a flat image cannot have zeroed_grain")
            }
            guard preallocation != .metadata else {
                throw DrayError(
                    .invalid,
                    "option 'preallocation' does not accept 'metadata' for vmdk, but off, falloc, full"
                )
            }
        } else if preallocation != .off {
            throw DrayError(
                .invalid,
                "preallocation needs subformat monolithicFlat or twoGbMaxExtentFlat"
            )
        }
    }
}

/// The accepted values of `adapter_type`.
package enum VMDKAdapter: String, Sendable, Hashable, CaseIterable {
    case ide, buslogic, lsilogic, legacyESX

    /// The heads of the geometry that goes with it.
    var heads: UInt64 { self == .ide ? 16 : 255 }
}

extension VMDKOptions {
    /// A version's digits; nil where the user leaves it to us.
    private static func version(_ option: FormatOption) throws(DrayError) -> String? {
        guard option.value != "undefined" else { return nil }
        let digits = option.value.utf8
        guard (1...10).contains(digits.count), digits.allSatisfy({ (48...57).contains($0) }) else {
            throw option.invalid("expects a number of at most 10 digits")
        }
        return option.value
    }

    private static func parentName(_ option: FormatOption) throws(DrayError) -> String {
        let count = option.value.utf8.count
        guard (1...longestParentName).contains(count) else {
            throw option.invalid("must have 1 to \(longestParentName) bytes, not \(count)")
        }
        guard option.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") }) else {
            throw option.invalid("has a quotation mark or a control character")
        }
        try option.refuseProtocol()
        return option.value
    }
}

extension VMDKOptions {
    /// The options, by name.
    static let list: [TargetOption] = [
        TargetOption(
            "adapter_type",
            .text,
            "Virtual adapter (ide, buslogic, lsilogic, legacyESX)"
        ),
        TargetOption("backing_file", .text, "File name of the parent, a vmdk image"),
        TargetOption("backing_fmt", .text, "Format of the parent; can only be vmdk"),
        TargetOption("compat6", .flag, "Virtual hardware version 6"),
        TargetOption("hwversion", .text, "Virtual hardware version (default 4)"),
        TargetOption(
            "preallocation",
            .text,
            "Preallocation mode of flat files (off, falloc, full)"
        ),
        TargetOption("size", .size, "Virtual disk size; can only be the source's"),
        TargetOption(
            "subformat",
            .text,
            "monolithicSparse (default), monolithicFlat, twoGbMaxExtentSparse, twoGbMaxExtentFlat or streamOptimized"
        ),
        TargetOption("toolsversion", .text, "Version of the guest tools"),
        TargetOption("zeroed_grain", .flag, "Mark zeros that hide the parent's data"),
    ]
}
