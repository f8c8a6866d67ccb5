// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The rows of `dray measure`.
package enum MeasureTable {
    /// `--size`: measure an empty disk instead of an image.
    package static let size = OptionSpec(
        nil,
        "size",
        value: "SIZE",
        "Measure for an empty disk of this size instead of an image."
    )

    /// The command.
    package static let command = CommandSpec(
        name: "measure",
        summary: "tell how large a converted image will be",
        description: [
            "Prints the file size that converting FILE to the target format needs, and the size of the target with every "
                + "cluster allocated, as qemu-img measure does."
        ],
        arguments: [ArgumentSpec("FILE", isOptional: true)],
        options: [
            .sourceFormat, .member, ConvertTable.targetFormat, ConvertTable.creationOptions,
            .snapshot, size,
            .output, .forceShare, .allowReferences, .noReferences,
        ],
        examples: [
            CommandSpec.Example(
                "Room for a qcow2 of this image",
                "dray measure -O qcow2 disk.raw"
            ),
            CommandSpec.Example(
                "Room for an empty disk of 1 TiB",
                "dray measure -O qcow2 --size 1T"
            ),
        ],
        exitCodes: ExitCodeSpec.common
    )
}
