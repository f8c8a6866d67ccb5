// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CommandTable
internal import Glibc

/// How a job's progress is shown.
enum ProgressStyle {
    /// Not at all.
    case none
    /// A bar that is drawn anew on a terminal, on standard error.
    case bar
    /// `(12.34/100%)` and a carriage return each time, as qemu-img writes it, on this descriptor.
    case percent(descriptor: Int32)
    /// One JSON object a line, on standard error.
    case json

    /// The style that `-p`, `--progress` and `-q` ask for.
    init(_ arguments: ParsedArguments) throws(UsageError) {
        let isQuiet = arguments.command.options.contains(.quiet) && arguments.has(.quiet)
        switch arguments.value(.progressStyle) {
        case "json": self = .json
        case "none": self = .none
        case "bar": self = isQuiet ? .none : Self.visible(arguments)
        case nil: self = arguments.has(.progress) && !isQuiet ? Self.visible(arguments) : .none
        case .some(let other):
            throw UsageError("--progress: '\(other)' is not bar, json or none")
        }
    }

    /// A bar for a person, lines for a program. qemu-img's scripts read them from standard output, which a checksum needs
    /// for its answer.
    private static func visible(_ arguments: ParsedArguments) -> ProgressStyle {
        if isatty(STDERR_FILENO) == 1 { return .bar }
        let name = arguments.command.name
        let isAnswer =
            name == ChecksumTable.command.name || name == JobsTable.watch.name
            || name.hasPrefix(SubmitTable.command.name)
        return .percent(descriptor: isAnswer ? STDERR_FILENO : STDOUT_FILENO)
    }
}
