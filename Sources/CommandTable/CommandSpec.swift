// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A command: its rows of the table, from which the parser, `--help`, the man page, the completion and the test
/// of docs/cli.md are made.
package struct CommandSpec: Sendable {
    /// The word after `dray`; empty for `dray` itself.
    package let name: String
    /// What it does, in a few words without a full stop.
    package let summary: String
    /// What it does, a paragraph each.
    package let description: [String]
    /// The positional arguments, in order. At most one is repeatable.
    package let arguments: [ArgumentSpec]
    /// The options, in the order of the help text.
    package let options: [OptionSpec]
    /// Commands to learn from.
    package let examples: [Example]
    /// What the exit codes mean.
    package let exitCodes: [ExitCodeSpec]

    /// A command line with what it does.
    package struct Example: Sendable {
        /// What it does.
        package let purpose: String
        /// The line as typed.
        package let line: String

        /// Describes an example.
        package init(_ purpose: String, _ line: String) {
            self.purpose = purpose
            self.line = line
        }
    }

    /// Describes a command. Every command takes `--help` besides its own options.
    package init(
        name: String,
        summary: String,
        description: [String],
        arguments: [ArgumentSpec],
        options: [OptionSpec],
        examples: [Example],
        exitCodes: [ExitCodeSpec]
    ) {
        self.name = name
        self.summary = summary
        self.description = description
        self.arguments = arguments
        self.options = options + [.help]
        self.examples = examples
        self.exitCodes = exitCodes
    }

    /// The command as it is called: `dray convert`.
    package var invocation: String { name.isEmpty ? "dray" : "dray " + name }

    /// The line that shows how the command is called.
    package var usage: String {
        let options = options.contains { !$0.isHidden } ? ["[OPTION…]"] : []
        return ([invocation] + options + arguments.map(\.usage)).joined(separator: " ")
    }

    /// The options that help texts show.
    package var visibleOptions: [OptionSpec] { options.filter { !$0.isHidden } }
}

/// An exit code of a command with what it means.
package struct ExitCodeSpec: Sendable, Hashable {
    /// The code.
    package let code: Int32
    /// What it means, without a full stop.
    package let meaning: String

    /// Describes an exit code.
    package init(_ code: Int32, _ meaning: String) {
        self.code = code
        self.meaning = meaning
    }
}
