// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import DiskImage
internal import Fleet
internal import Storage

/// `dray compare`, with qemu-img's messages and exit codes.
struct CompareCommand {
    private static let different: Int32 = 1
    private static let unreadableMap: Int32 = 3
    private static let unreadableData: Int32 = 4

    private let arguments: ParsedArguments
    private let first: DiskMap
    private let second: DiskMap

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        try CompareCommand(arguments).run()
    }

    /// Opens both images, so that one that cannot be opened has its own exit code.
    private init(_ arguments: ParsedArguments) throws {
        self.arguments = arguments
        let paths = arguments.positionals
        first = try DiskMap(arguments.openImage(paths[0]))
        second = try DiskMap(
            arguments.openImage(
                paths[1],
                format: CompareTable.secondFormat,
                member: CompareTable.secondMember
            )
        )
    }

    private func run() throws -> Int32 {
        let isStrict = arguments.has(CompareTable.strict)
        if isStrict, first.size != second.size {
            return try answer("Strict mode: Image size mismatch!", Self.different)
        }
        do {
            return try compare(unlike: isStrict ? firstUnlikeStatus() : nil)
        } catch let error as DrayError where error.kind == .resource || error.kind == .corrupt {
            StandardError.report("compare: \(error)")
            return codeOfUnreadable()
        }
    }

    /// Compares the content. `unlike` is where the allocation differs first, where that counts.
    private func compare(unlike: UInt64?) throws -> Int32 {
        let outcome = try content()
        let mismatch = outcome.mismatch?.roundedDown(to: 512)
        if let unlike, unlike <= mismatch ?? UInt64.max {
            return try answer(
                "Strict mode: Offset \(unlike) block status mismatch!",
                Self.different
            )
        }
        let common = min(first.size, second.size)
        if first.size != second.size, mismatch ?? common >= common, !arguments.has(.quiet) {
            try StandardOutput.write("Warning: Image size mismatch!\n")
        }
        if let mismatch {
            return try answer("Content mismatch at offset \(mismatch)!", Self.different)
        }
        return try answer("Images are identical.", ExitCode.success)
    }

    /// Runs the comparison as a job.
    private func content() throws -> JobOutcome {
        let options = [
            (OptionSpec.sourceFormat, OptionSpec.member),
            (CompareTable.secondFormat, CompareTable.secondMember),
        ]
        let cache = try arguments.cache(.sourceCache, default: .writeback)
        let sources = try zip(arguments.positionals, options).map { path, options in
            var source = SourceSpec(
                path: path,
                format: try arguments.format(options.0),
                cache: cache
            )
            source.member = arguments.value(options.1)
            return source
        }
        var spec = JobSpec(kind: .compare, sources: sources)
        spec.rangeSize = try arguments.rangeSize()
        let progress = ProgressDisplay(try ProgressStyle(arguments))
        return try JobService(arguments).run(spec, progress: progress)
    }

    /// Where the images' maps differ first in anything but place: what `-s` counts as a difference, as is whether a run
    /// reaches the end of the disk.
    private func firstUnlikeStatus() throws(DrayError) -> UInt64? {
        var position: UInt64 = 0
        while position < first.size {
            let rest = first.size - position
            let one = try first.status(at: position, limit: rest, toCompare: true)
            let other = try second.status(at: position, limit: rest, toCompare: true)
            let endsAlike = (one.end == first.size) == (other.end == second.size)
            guard one.hasSameFlags(other), endsAlike else { return position }
            position = min(one.end, other.end)
        }
        return nil
    }

    /// The exit code for an image that cannot be read: another for its map than for its data.
    private func codeOfUnreadable() -> Int32 {
        do throws(DrayError) {
            for map in [first, second] {
                try map.forEachRun(from: 0, to: map.size) { _ throws(DrayError) in }
            }
            return Self.unreadableData
        } catch {
            return Self.unreadableMap
        }
    }

    private func answer(_ message: String, _ code: Int32) throws(DrayError) -> Int32 {
        if !arguments.has(.quiet) { try StandardOutput.write(message + "\n") }
        return code
    }
}
