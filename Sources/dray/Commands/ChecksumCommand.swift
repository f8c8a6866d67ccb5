// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import Fleet
internal import Storage

/// `dray checksum`: a line for each image, as sha256sum writes it.
enum ChecksumCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let specs = try arguments.positionals.map { path in try spec(path, arguments) }
        let style = try ProgressStyle(arguments)
        let service = try JobService(arguments)
        var code = ExitCode.success
        for (path, spec) in zip(arguments.positionals, specs) {
            do {
                let outcome = try service.run(spec, progress: ProgressDisplay(style))
                guard let digest = outcome.digest else {
                    throw DrayError(.bug, "the job ended without a digest", file: path)
                }
                try StandardOutput.write(line(digest, path))
            } catch let error as DrayError where error.kind != .cancelled {
                // The other images are no worse for it; the first failure gives the exit code.
                StandardError.report("checksum: \(error.at(file: path))")
                if code == ExitCode.success { code = ExitCode.of(error.kind) }
            }
        }
        return code
    }

    /// The job for one image of a command line.
    static func spec(_ path: String, _ arguments: ParsedArguments) throws -> JobSpec {
        var source = SourceSpec(
            path: path,
            format: try arguments.format(.sourceFormat),
            cache: try arguments.cache(.sourceCache, default: .writeback)
        )
        source.snapshot = try arguments.snapshot()
        source.member = arguments.value(.member)
        var spec = JobSpec(kind: .checksum, sources: [source])
        spec.digest = arguments.value(ChecksumTable.digest) ?? "sha256"
        spec.rangeSize = try arguments.rangeSize()
        return spec
    }

    /// The line for `name`: with a backslash in front where the name had to be escaped.
    static func line(_ digest: String, _ name: String) -> String {
        var escaped = ""
        // By scalar: a carriage return and a line feed make one Character.
        for scalar in name.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\r": escaped += "\\r"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return (escaped == name ? "" : "\\") + digest + "  " + escaped + "\n"
    }
}
