// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Rows that several commands share.
extension OptionSpec {
    /// The names of formats, for completion.
    static let formats = ["raw", "qcow2", "vmdk"]
    /// The names of formats that are read, for completion.
    static let readFormats = formats + ["gzip", "xz", "zstd", "ova"]
    /// The names of cache modes, for completion.
    static let cacheModes = ["none", "writeback", "writethrough", "directsync", "unsafe"]

    /// `--help`: every command has it.
    package static let help = OptionSpec("h", "help", "Print this help and exit.")

    /// `-f`: the format of what is read.
    package static let sourceFormat = OptionSpec(
        "f",
        "format",
        value: "FMT",
        choices: readFormats,
        "Format of the image: raw, qcow2 or vmdk; gzip, xz or zstd for a raw image that is compressed so; ova. "
            + "Without it the format is found by looking at the content; "
            + "give it where the image comes from a stranger, who may have made a raw image look like another."
    )

    /// `--member`: which disk of an archive.
    package static let member = OptionSpec(
        nil,
        "member",
        value: "NAME",
        "Read the disk of this name in an OVA. Needed where there are several."
    )

    /// `-T`: how what is read uses the page cache.
    package static let sourceCache = OptionSpec(
        "T",
        "source-cache",
        value: "CACHE",
        choices: cacheModes,
        "How reading uses the page cache: none and directsync read past it (O_DIRECT), "
            + "writeback (the default), writethrough and unsafe read through it."
    )

    /// `-U`: taken for qemu-img's sake.
    package static let forceShare = OptionSpec(
        "U",
        "force-share",
        "Accepted as in qemu-img; Dray reads images without locking them."
    )

    /// `-p`: show progress.
    package static let progress = OptionSpec(
        "p",
        "show-progress",
        "Show progress: a bar on a terminal, lines of per cent elsewhere."
    )

    /// `--progress`: choose how progress is shown.
    package static let progressStyle = OptionSpec(
        nil,
        "progress",
        value: "STYLE",
        choices: ["bar", "json", "none"],
        "How progress is shown: bar (as -p), json (one JSON object a line on stderr) or none (the default)."
    )

    /// `-q`: print nothing but errors.
    package static let quiet = OptionSpec("q", "quiet", "Print nothing but errors.")

    /// `--output`: human or JSON.
    package static let output = OptionSpec(
        nil,
        "output",
        value: "STYLE",
        choices: ["human", "json"],
        "How the answer is written: human (the default) or json, with qemu-img's keys."
    )

    /// `--allow-references`: widens the gate for files that an image names.
    package static let allowReferences = OptionSpec(
        nil,
        "allow-references",
        value: "DIR",
        isRepeatable: true,
        "Let an image name backing and data files in DIR and below, besides those in its own directory and below. "
            + "May be repeated."
    )

    /// `--no-references`: closes the gate.
    package static let noReferences = OptionSpec(
        nil,
        "no-references",
        "Refuse images that name any other file."
    )

    /// `-l`: read an internal snapshot.
    package static let snapshot = OptionSpec(
        "l",
        "snapshot",
        value: "SNAPSHOT",
        "Read the internal snapshot with this id or, where there is none, this name, instead of the active state. "
            + "snapshot.id=ID,snapshot.name=NAME, or one of them, says which is meant."
    )

    /// `--range-size`: the task unit.
    package static let rangeSize = OptionSpec(
        nil,
        "range-size",
        value: "SIZE",
        "Size of the ranges that the job is cut into, a multiple of 4M up to 128M. Chosen by the job's size by default."
    )

    /// `-m`: how many threads.
    package static let workers = OptionSpec(
        "m",
        "workers",
        value: "N",
        "Run N ranges at a time, 1 to 64. One for each processor by default."
    )
}

extension ExitCodeSpec {
    /// The codes of every command but compare and check.
    static let common =
        [
            ExitCodeSpec(0, "success"),
            ExitCodeSpec(1, "the system said no: I/O error, no space, missing file, no permission"),
            ExitCodeSpec(2, "the command line is wrong or contradicts itself"),
            ExitCodeSpec(3, "the image is corrupt"),
            ExitCodeSpec(4, "the image or the request needs something that Dray does not do"),
            ExitCodeSpec(
                5,
                "refused: the image names a file that is not allowed, or the target exists"
            ),
            ExitCodeSpec(
                6,
                "the source changed while it was read, or since the journal was written"
            ),
        ] + always

    /// The codes that mean the same for every command.
    static let always = [
        ExitCodeSpec(70, "an error in Dray itself; please report it"),
        ExitCodeSpec(129, "stopped by SIGHUP: the terminal went away"),
        ExitCodeSpec(130, "stopped by SIGINT (^C)"),
        ExitCodeSpec(143, "stopped by SIGTERM"),
    ]
}
