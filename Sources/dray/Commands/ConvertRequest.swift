// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import DiskImage
internal import Storage

/// The job that a command line of `dray convert` asks for.
struct ConvertRequest {
    /// The job.
    let spec: JobSpec
    private let arguments: ParsedArguments
    /// What qemu-img takes at most for `-S`, in bytes.
    private static let largestSparseSize: UInt64 = 16 << 20

    /// Reads the command line. Fails with a usage error.
    init(_ arguments: ParsedArguments) throws {
        self.arguments = arguments
        let paths = arguments.positionals
        let format = try arguments.format(.sourceFormat)
        let cache = try arguments.cache(.sourceCache, default: .writeback)
        let snapshot = try arguments.snapshot()
        guard snapshot == nil || paths.count == 2 else {
            throw UsageError("a snapshot (-l) goes with one source only")
        }
        let member = arguments.value(.member)
        guard member == nil || paths.count == 2 else {
            throw UsageError("a member of an archive (--member) goes with one source only")
        }
        let sources = paths.dropLast().map { path in
            var source = SourceSpec(path: path, format: format, cache: cache)
            source.snapshot = snapshot
            source.member = member
            return source
        }
        var spec = JobSpec(kind: .convert, sources: sources)
        spec.rangeSize = try arguments.rangeSize()
        spec.target = try Self.target(paths[paths.count - 1], arguments)
        spec.digest = arguments.value(ConvertTable.digest).flatMap { $0 == "none" ? nil : $0 }
        self.spec = spec
    }

    private static func target(
        _ path: String,
        _ arguments: ParsedArguments
    ) throws(UsageError) -> TargetSpec {
        try ProtocolName.refuse(asTarget: path)
        let format = try arguments.format(ConvertTable.targetFormat) ?? .raw
        var target = TargetSpec(path: path, format: format)
        target.options = try options(arguments)
        target.cache = try arguments.cache(ConvertTable.targetCache, default: target.cache)
        target.sparseSize = try sparseSize(arguments) ?? target.sparseSize
        target.compression = try compression(arguments)
        target.keepsPartial = arguments.has(ConvertTable.keepPartial)
        target.isDurable =
            arguments.command.options.contains(ConvertTable.journal)
            && arguments.has(ConvertTable.journal)
        switch (arguments.has(ConvertTable.noCreate), arguments.has(ConvertTable.force)) {
        case (true, true): throw UsageError("-n and --force contradict each other")
        case (true, false): target.existing = .overwrite
        case (false, true): target.existing = .replace
        case (false, false): target.existing = .refuse
        }
        if target.existing == .overwrite, !target.options.isEmpty {
            StandardError.report("convert: -o has no effect with -n")
            target.options = []
        }
        return target
    }

    private static func compression(
        _ arguments: ParsedArguments
    ) throws(UsageError) -> CompressionEffort? {
        let effort = arguments.value(ConvertTable.compression)
        let level = arguments.value(ConvertTable.compressionLevel)
        guard effort == nil || level == nil else {
            throw UsageError("--compression and --compression-level contradict each other")
        }
        guard let text = level ?? effort else {
            return arguments.has(ConvertTable.compress) ? .balanced : nil
        }
        do throws(DrayError) {
            return try CompressionEffort(text)
        } catch {
            throw UsageError(error.message)
        }
    }

    private static func options(
        _ arguments: ParsedArguments
    ) throws(UsageError) -> [FormatOption] {
        var options = try arguments.creationOptions().formatOptions
        if let file = arguments.value(ConvertTable.backingFile) {
            guard !options.contains(where: { $0.key == "backing_file" }) else {
                throw UsageError("-B and -o backing_file contradict each other")
            }
            options.append(FormatOption("backing_file", file))
        }
        if let format = try arguments.format(ConvertTable.backingFormat) {
            guard !options.contains(where: { $0.key == "backing_fmt" }) else {
                throw UsageError("-F and -o backing_fmt contradict each other")
            }
            options.append(FormatOption("backing_fmt", format.rawValue))
        }
        return options
    }

    private static func sparseSize(_ arguments: ParsedArguments) throws(UsageError) -> UInt64? {
        guard let size = try arguments.size(ConvertTable.sparseSize) else { return nil }
        guard size % 512 == 0, size <= largestSparseSize else {
            throw UsageError("-S: must be a multiple of 512 up to 16M, or 0")
        }
        return size
    }
}
