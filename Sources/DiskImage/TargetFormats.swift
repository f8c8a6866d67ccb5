// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Makes targets by format: the one place that knows all of them.
package enum TargetFormats {
    /// The target for a disk of `guestSize` bytes in `format` with the options of `-o`.
    ///
    /// `name` is the target's path. `sparseSize` is the run of zero bytes that is worth a hole; with 0 the target asks for all zeros
    /// to be written. With `compression` clusters are compressed. Fails with `invalid` or `unsupported`, naming the option.
    package static func make(
        _ format: ImageFormat,
        guestSize: UInt64,
        options: [FormatOption],
        name: String = "",
        sparseSize: UInt64 = 4096,
        compression: CompressionEffort? = nil
    ) throws(DrayError) -> any TargetFormat {
        switch format {
        case .raw:
            guard compression == nil else {
                throw DrayError(.invalid, "raw images cannot be compressed (-c)")
            }
            return try RawTarget(guestSize: guestSize, options: options)
        case .qcow2:
            return try QCOW2Target(
                guestSize: guestSize,
                options: options,
                sparseSize: sparseSize,
                compression: compression
            )
        case .vmdk:
            return try VMDKTarget(
                guestSize: guestSize,
                options: options,
                name: PathParts(name).lastComponent,
                sparseSize: sparseSize,
                compression: compression
            )
        case .gzip, .xz, .zstd, .ova: throw notWritten(format)
        }
    }

    /// The options that `format` takes, by name.
    package static func options(for format: ImageFormat) -> [TargetOption] {
        switch format {
        case .raw: RawTarget.options
        case .qcow2: QCOW2Options.list
        case .vmdk: VMDKOptions.list
        case .gzip, .xz, .zstd, .ova: []
        }
    }

    /// Whether targets in `format` with the options of `-o` have several files, whatever their size.
    package static func hasSeveralFiles(_ format: ImageFormat, _ options: [FormatOption]) -> Bool {
        guard let subformat = vmdkSubformat(format, options) else { return false }
        return !subformat.embedsDescriptor
    }

    /// Whether targets in `format` with the options of `-o` have compressed clusters alone, whether that is asked for or not.
    package static func compressesAlways(_ format: ImageFormat, _ options: [FormatOption]) -> Bool {
        vmdkSubformat(format, options)?.isCompressed ?? false
    }

    /// The name of file `number`, from 1, beside the named one of a target that has several.
    package static func fileName(
        _ number: Int,
        in format: ImageFormat,
        _ options: [FormatOption],
        name: String
    ) -> String {
        let subformat = vmdkSubformat(format, options) ?? .monolithicSparse
        return VMDKExtentNames.name(number, of: PathParts(name).lastComponent, subformat)
    }

    private static func vmdkSubformat(
        _ format: ImageFormat,
        _ options: [FormatOption]
    ) -> VMDKSubformat? {
        guard format == .vmdk else { return nil }
        let wanted = options.last { $0.key == "subformat" }?.value
        return wanted.flatMap(VMDKSubformat.init) ?? .monolithicSparse
    }

    /// The text of `-o help` for `format`, without a newline at its end.
    package static func help(for format: ImageFormat) -> String {
        (["Supported options:"] + options(for: format).map(\.helpLine)).joined(separator: "\n")
    }

    /// The backing image that `options` of `format` name, if any, without further checks: for a planner that must open it before
    /// it can make the target.
    package static func backing(
        in options: [FormatOption],
        for format: ImageFormat
    ) -> BackingReference? {
        guard let name = options.last(where: { $0.key == "backing_file" })?.value else {
            return nil
        }
        let ownFormat = options.last { $0.key == "backing_fmt" }?.value
        return BackingReference(name: name, format: format == .vmdk ? format.rawValue : ownFormat)
    }
}

/// The error about a format that no target can have.
func notWritten(_ format: ImageFormat) -> DrayError {
    DrayError(.unsupported, "\(format.rawValue) is only read, not written")
}

/// The error about a key that `format` does not have.
func unknownOption(_ option: FormatOption, for format: ImageFormat) -> DrayError {
    let names = TargetFormats.options(for: format).map(\.name).joined(separator: ", ")
    return DrayError(
        .invalid,
        "\(format.rawValue) has no option '\(option.key)'; it has \(names)"
    )
}

extension QCOW2Options {
    /// The options, by name.
    static let list: [TargetOption] = [
        TargetOption("backing_file", .text, "File name of the backing image"),
        TargetOption("backing_fmt", .text, "Format of the backing image (raw, qcow2)"),
        TargetOption("cluster_size", .size, "Cluster size, a power of two from 512 to 2M"),
        TargetOption("compat", .text, "Compatibility level (v2 [0.10] or v3 [1.1])"),
        TargetOption(
            "compression_type",
            .text,
            "How clusters are compressed (zlib, zstd)"
        ),
        TargetOption("extended_l2", .flag, "Extended L2 tables, with subclusters"),
        TargetOption("lazy_refcounts", .flag, "Let writers postpone refcount updates"),
        TargetOption(
            "preallocation",
            .text,
            "Preallocation mode (off, metadata, falloc, full)"
        ),
        TargetOption("refcount_bits", .number, "Width of a refcount in bits (1 to 64)"),
        TargetOption("size", .size, "Virtual disk size; can only be the source's"),
    ]
}
