// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The table's first page: `dray` itself and the list of its commands.
package enum Program {
    /// The version that `dray --version` prints.
    package static let version = "0.1.0"

    /// `--version`.
    package static let versionOption = OptionSpec("V", "version", "Print the version and exit.")
    /// `--man-page`: for packagers, thus hidden.
    package static let manPage = OptionSpec(
        nil,
        "man-page",
        isHidden: true,
        "Print the manual page of dray, or of the command that follows, and exit."
    )

    /// `dray` without a command.
    package static let root = CommandSpec(
        name: "",
        summary: "convert, checksum and inspect disk images",
        description: [
            "Dray converts disk images from one format to another, computes checksums of what they hold, "
                + "and shows what is inside. Options mean what they mean in qemu-img, so scripts carry over.",
            "'dray COMMAND --help' explains a command.",
        ],
        arguments: [
            ArgumentSpec("COMMAND", isOptional: true),
            ArgumentSpec("ARGUMENT", isOptional: true, isRepeatable: true),
        ],
        options: [versionOption, manPage],
        examples: [
            CommandSpec.Example(
                "Convert a raw image to qcow2, with a progress bar",
                "dray convert -p -O qcow2 disk.raw disk.qcow2"
            ),
            CommandSpec.Example("Print the checksum of its content", "dray checksum disk.qcow2"),
        ],
        exitCodes: ExitCodeSpec.common
    )

    /// Every command, in the order of the help text.
    package static let commands: [CommandSpec] = [
        ConvertTable.command, ChecksumTable.command, CompareTable.command, InfoTable.command,
        MapTable.command, CheckTable.command, MeasureTable.command, SubmitTable.command,
        SubmitTable.convert, SubmitTable.checksum, JobsTable.jobs, JobsTable.watch,
        JobsTable.cancel, DeadLettersTable.list, DeadLettersTable.retry, CoordinatorTable.command,
        WorkerTable.command, TopicsTable.create, TopicsTable.check, CompletionTable.command,
    ]

    /// The command that `words` begin with, of one word or of two, with the words behind its name. Nil where there is none.
    package static func command(in words: [String]) -> (spec: CommandSpec, rest: [String])? {
        for count in [2, 1] where words.count >= count {
            let name = words.prefix(count).joined(separator: " ")
            guard let spec = commands.first(where: { $0.name == name }) else { continue }
            return (spec, Array(words.dropFirst(count)))
        }
        return nil
    }
}
