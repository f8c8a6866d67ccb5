// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A command line that was read by a command's rows of the table.
package struct ParsedArguments: Sendable {
    /// The command.
    package let command: CommandSpec
    /// The positional arguments, in order.
    package let positionals: [String]
    private let given: [(long: String, value: String?)]

    /// Keeps what the parser found.
    init(command: CommandSpec, positionals: [String], given: [(long: String, value: String?)]) {
        self.command = command
        self.positionals = positionals
        self.given = given
    }

    /// Whether `option` was given.
    package func has(_ option: OptionSpec) -> Bool {
        check(option)
        return given.contains { $0.long == option.long }
    }

    /// The value of `option`; the last one counts where it was given more than once.
    package func value(_ option: OptionSpec) -> String? {
        values(option).last
    }

    /// Every value of `option`, in order.
    package func values(_ option: OptionSpec) -> [String] {
        check(option)
        return given.compactMap { $0.long == option.long ? $0.value : nil }
    }

    /// Fails unless there are as many positional arguments as the command takes.
    package func checkCount() throws(UsageError) {
        let needed = command.arguments.filter { !$0.isOptional }
        if positionals.count < needed.count {
            let missing = needed[positionals.count...].map(\.name).joined(separator: " ")
            throw UsageError("missing argument: \(missing)")
        }
        let isOpen = command.arguments.contains { $0.isRepeatable }
        if positionals.count > command.arguments.count, !isOpen {
            throw UsageError("unexpected argument '\(positionals[command.arguments.count])'")
        }
    }

    private func check(_ option: OptionSpec) {
        precondition(
            command.options.contains { $0.long == option.long },
            "\(command.invocation) has no option --\(option.long) in the table"
        )
    }
}
