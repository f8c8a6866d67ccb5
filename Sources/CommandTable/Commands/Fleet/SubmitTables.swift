// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The rows of `dray submit` and of its two kinds of jobs.
package enum SubmitTable {
    /// `--from`: many jobs.
    package static let from = OptionSpec(
        nil,
        "from",
        value: "FILE",
        "Submit one job for each line of FILE (- for standard input): a JSON array of the words that would follow 'dray submit'."
    )
    /// `--wait`: follow the job.
    package static let wait = OptionSpec(
        nil,
        "wait",
        "Follow the job to its end, and exit as the local command would. ^C stops following; the job goes on."
    )
    /// `--id`: the job's name.
    package static let id = OptionSpec(
        nil,
        "id",
        value: "ID",
        "The job's id, up to 64 letters, digits and dashes; a fresh one by default. A second job with an id is ignored, so a "
            + "submit that may have gone through can be repeated."
    )
    /// `--priority`: the class of its tasks.
    package static let priority = OptionSpec(
        nil,
        "priority",
        value: "CLASS",
        choices: ["high", "normal", "bulk"],
        "Class of the job's tasks: high, normal (the default) or bulk. Workers that have all three take them as 8:3:1."
    )
    /// `--weight`: its share.
    package static let weight = OptionSpec(
        nil,
        "weight",
        value: "N",
        "The job's share of the fleet compared with other jobs', 1 to 100; 1 by default."
    )
    /// `--allow-references` in a store.
    package static let allowReferences = OptionSpec(
        nil,
        "allow-references",
        value: "STORE/DIR",
        isRepeatable: true,
        "Let an image name backing and data files in this directory of a store and below, besides those in its own directory and "
            + "below. May be repeated."
    )
    /// `-t` in a fleet: what a result vouches for must outlive the worker's machine.
    package static let targetCache = OptionSpec(
        "t",
        "target-cache",
        value: "CACHE",
        choices: OptionSpec.cacheModes,
        "How writing uses the page cache: writeback (the default: flushed before a range counts as done), none (O_DIRECT), "
            + "writethrough (O_DSYNC), directsync (both), or unsafe (never flushed: a machine that crashes may lose what was done)."
    )
    private static let steering = [id, priority, weight, wait, .progress, .progressStyle, .quiet]

    /// `dray submit --from`.
    package static let command = CommandSpec(
        name: "submit",
        summary: "submit many jobs to a fleet",
        description: [
            "Submits one job for each line of a file, and prints each job's id when Kafka has it. "
                + "'dray submit convert' and 'dray submit checksum' submit one job.",
            "Nothing is submitted where a line cannot be read. With --wait, follows all of them, prints the errors of those that "
                + "fail, and exits as the first of these.",
        ],
        arguments: [],
        options: [from, wait, .quiet] + OptionSpec.connection,
        examples: [
            CommandSpec.Example(
                "Convert every raw image of a store",
                "ls /srv/images/*.raw | xargs -n1 basename -s .raw "
                    + "| jq -cR '[\"convert\", \"-O\", \"qcow2\", \"images/\" + . + \".raw\", \"images/\" + . + \".qcow2\"]' "
                    + "| dray submit -b kafka1:9092 --from -"
            )
        ],
        exitCodes: ExitCodeSpec.follow
    )

    /// `dray submit convert`.
    package static let convert = CommandSpec(
        name: "submit convert",
        summary: "submit a conversion to a fleet",
        description: [
            "Has a fleet do what 'dray convert' does, and prints the job's id when Kafka has it. SRC and DST are names in the workers' "
                + "stores, STORE/relative/path; this command opens no image.",
            "The content is hashed while it is copied, unless --digest none says otherwise: the chunks' hashes are in 'events', and "
                + "the job's record has the checksum.",
        ],
        arguments: ConvertTable.command.arguments,
        options: [
            .sourceFormat, .member, ConvertTable.targetFormat, ConvertTable.creationOptions,
            ConvertTable.noCreate, ConvertTable.sparseSize, targetCache, .sourceCache,
            .snapshot, ConvertTable.backingFile, ConvertTable.backingFormat, ConvertTable.digest,
            ConvertTable.outOfOrder, ConvertTable.compress, ConvertTable.compression,
            ConvertTable.compressionLevel, .forceShare, ConvertTable.force,
            ConvertTable.keepPartial, allowReferences, .rangeSize,
        ] + steering + OptionSpec.connection,
        examples: [
            CommandSpec.Example(
                "Convert an image and follow the job",
                "dray submit convert -b kafka1:9092 --wait -p -O qcow2 images/disk.raw images/disk.qcow2"
            )
        ],
        exitCodes: ExitCodeSpec.follow
    )

    /// `dray submit checksum`.
    package static let checksum = CommandSpec(
        name: "submit checksum",
        summary: "submit checksums to a fleet",
        description: [
            "Has a fleet do what 'dray checksum' does, a job for each IMAGE, and prints the jobs' ids when Kafka has them. IMAGE is a "
                + "name in the workers' stores, STORE/relative/path. With --wait, prints the checksums behind the ids."
        ],
        arguments: ChecksumTable.command.arguments,
        options: [
            .sourceFormat, .member, ChecksumTable.digest, .sourceCache, .snapshot, .forceShare,
            allowReferences, .rangeSize,
        ] + steering + OptionSpec.connection,
        examples: [
            CommandSpec.Example(
                "The checksum of an image",
                "dray submit checksum -b kafka1:9092 --wait images/disk.qcow2"
            )
        ],
        exitCodes: ExitCodeSpec.follow
    )
}
