// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CommandTable

/// `dray completion`.
enum CompletionCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        guard arguments.positionals.first == "bash" else {
            throw UsageError("the only shell is bash")
        }
        try StandardOutput.write(BashCompletion.script)
        return ExitCode.success
    }
}
