// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The rows of `dray completion`.
package enum CompletionTable {
    /// The command.
    package static let command = CommandSpec(
        name: "completion",
        summary: "print the completion script of a shell",
        description: ["Prints the script that lets bash complete dray's commands and options."],
        arguments: [ArgumentSpec("SHELL", choices: ["bash"])],
        options: [],
        examples: [
            CommandSpec.Example("Complete in this shell", "source <(dray completion bash)")
        ],
        exitCodes: ExitCodeSpec.common
    )
}
