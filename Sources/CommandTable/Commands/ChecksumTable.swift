// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The rows of `dray checksum`.
package enum ChecksumTable {
    /// `-d`: the digest.
    package static let digest = OptionSpec(
        "d",
        "digest",
        value: "DIGEST",
        choices: ["sha256", "sha512", "blake2b512", "sha1"],
        "Digest that the checksum is built from; sha256 by default."
    )

    /// The command.
    package static let command = CommandSpec(
        name: "checksum",
        summary: "print the checksum of the content of disk images",
        description: [
            "Prints a line for each IMAGE: the blkhash of what the guest sees, two blanks and the name. "
                + "The same content has the same checksum in every format; holes and zeros cost nothing. "
                + "It equals what blksum prints.",
            "As with sha256sum, a line begins with a backslash where the name holds a backslash or a line end, "
                + "which are then escaped.",
        ],
        arguments: [ArgumentSpec("IMAGE", isRepeatable: true)],
        options: [
            .sourceFormat, .member, digest, .sourceCache, .progress, .progressStyle, .snapshot,
            .workers,
            .forceShare, .allowReferences, .noReferences, .rangeSize,
        ],
        examples: [
            CommandSpec.Example(
                "Checksums of two images, equal if their content is",
                "dray checksum disk.raw disk.qcow2"
            )
        ],
        exitCodes: ExitCodeSpec.common
    )
}
