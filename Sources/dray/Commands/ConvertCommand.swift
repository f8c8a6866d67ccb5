// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import Fleet

/// `dray convert`.
enum ConvertCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let request = try ConvertRequest(arguments)
        let style = try ProgressStyle(arguments)
        let service = try JobService(arguments)
        let progress = ProgressDisplay(style)
        let outcome = try service.run(
            request.spec,
            journal: arguments.value(ConvertTable.journal),
            progress: progress
        )
        if let digest = outcome.digest, let target = request.spec.target {
            try StandardOutput.write(ChecksumCommand.line(digest, target.path))
        }
        return ExitCode.success
    }
}
