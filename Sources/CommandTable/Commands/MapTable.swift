// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The rows of `dray map`.
package enum MapTable {
    /// `-s`: where to begin.
    package static let startOffset = OptionSpec(
        "s",
        "start-offset",
        value: "OFFSET",
        "Begin at this guest offset; 0 by default."
    )
    /// `-l`: where to stop.
    package static let maxLength = OptionSpec(
        "l",
        "max-length",
        value: "LENGTH",
        "Stop after this many bytes; at the disk's end by default."
    )

    /// The command.
    package static let command = CommandSpec(
        name: "map",
        summary: "show where the content of a disk image lives",
        description: [
            "Prints the runs of the virtual disk with their state, the layer of the backing chain and the place in the file, "
                + "as qemu-img map does. Human output lists data only. Reads metadata only."
        ],
        arguments: [ArgumentSpec("IMAGE")],
        options: [
            .sourceFormat, .member, .output, startOffset, maxLength, .forceShare, .allowReferences,
            .noReferences,
        ],
        examples: [
            CommandSpec.Example("Every run as JSON", "dray map --output json disk.qcow2")
        ],
        exitCodes: ExitCodeSpec.common
    )
}
