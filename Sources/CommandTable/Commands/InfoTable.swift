// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The rows of `dray info`.
package enum InfoTable {
    /// `--backing-chain`: all images of the chain.
    package static let backingChain = OptionSpec(
        nil,
        "backing-chain",
        "Describe the backing image too, and its backing image, to the end of the chain."
    )

    /// The command.
    package static let command = CommandSpec(
        name: "info",
        summary: "describe a disk image",
        description: [
            "Prints format, sizes, backing image, internal snapshots and the options of the format, as qemu-img info does. "
                + "The backing image is not opened without --backing-chain."
        ],
        arguments: [ArgumentSpec("IMAGE")],
        options: [
            .sourceFormat, .member, .output, backingChain, .forceShare, .allowReferences,
            .noReferences,
        ],
        examples: [
            CommandSpec.Example(
                "The whole chain, for a program",
                "dray info --output json --backing-chain disk.qcow2"
            )
        ],
        exitCodes: ExitCodeSpec.common
    )
}
