// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable

/// `dray convert`.
enum ConvertCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let request = try ConvertRequest(arguments)
        let style = try ProgressStyle(arguments)
        let service = try JobService(arguments)
        let progress = ProgressDisplay(style)
        _ = try service.run(
            request.spec,
            journal: arguments.value(ConvertTable.journal),
            progress: progress
        )
        return ExitCode.success
    }
}
