// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The rows of `dray check`.
package enum CheckTable {
    /// The command.
    package static let command = CommandSpec(
        name: "check",
        summary: "verify the metadata of a disk image",
        description: [
            "Verifies that the image's tables do not contradict each other, as qemu-img check does, and repairs nothing. "
                + "Exit codes are qemu-img's; a backing file that may not be opened is not looked at."
        ],
        arguments: [ArgumentSpec("IMAGE")],
        options: [
            .sourceFormat, .member, .output, .sourceCache, .quiet, .forceShare, .allowReferences,
            .noReferences,
        ],
        examples: [CommandSpec.Example("Check an image", "dray check disk.qcow2")],
        exitCodes: [
            ExitCodeSpec(0, "no errors"),
            ExitCodeSpec(1, "the check could not be made; also a wrong command line"),
            ExitCodeSpec(2, "the image is corrupt"),
            ExitCodeSpec(3, "the image has leaked clusters, but is not corrupt"),
            ExitCodeSpec(63, "the format has nothing to check"),
        ] + ExitCodeSpec.always
    )
}
