// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The rows of `dray compare`.
package enum CompareTable {
    /// `-F`: the second image's format.
    package static let secondFormat = OptionSpec(
        "F",
        "second-format",
        value: "FMT",
        choices: OptionSpec.readFormats,
        "Format of the second image, as -f is of the first."
    )
    /// `--second-member`: which disk of the second archive.
    package static let secondMember = OptionSpec(
        nil,
        "second-member",
        value: "NAME",
        "Read the disk of this name in the second image, an OVA."
    )
    /// `-s`: strict.
    package static let strict = OptionSpec(
        "s",
        "strict",
        "Strict: sizes and allocation must be equal too."
    )

    /// The command.
    package static let command = CommandSpec(
        name: "compare",
        summary: "tell whether two disk images have the same content",
        description: [
            "Compares what the guest sees of A and B, whatever their formats. Where one is longer, the rest of it "
                + "must read as zeros. Messages and exit codes are qemu-img's."
        ],
        arguments: [ArgumentSpec("A"), ArgumentSpec("B")],
        options: [
            .sourceFormat, .member, secondFormat, secondMember, .sourceCache, .progress,
            .progressStyle, strict, .quiet,
            .workers, .forceShare, .allowReferences, .noReferences, .rangeSize,
        ],
        examples: [
            CommandSpec.Example(
                "Verify a conversion",
                "dray compare -f raw -F qcow2 disk.raw disk.qcow2"
            )
        ],
        exitCodes: [
            ExitCodeSpec(0, "the images are identical"),
            ExitCodeSpec(1, "the images differ"),
            ExitCodeSpec(2, "an image cannot be opened, or the command line is wrong"),
            ExitCodeSpec(3, "the map of an image cannot be read"),
            ExitCodeSpec(4, "the data of an image cannot be read"),
        ] + ExitCodeSpec.always
    )
}
