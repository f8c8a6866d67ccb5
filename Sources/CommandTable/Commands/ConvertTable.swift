// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The rows of `dray convert`.
package enum ConvertTable {
    /// `-O`: the format of what is written.
    package static let targetFormat = OptionSpec(
        "O",
        "target-format",
        value: "FMT",
        choices: OptionSpec.formats,
        "Format of the target: raw (the default), qcow2 or vmdk."
    )
    /// `-o`: creation options.
    package static let creationOptions = OptionSpec(
        "o",
        "options",
        value: "KEY=VALUE,…",
        isRepeatable: true,
        "Options of the target format; '-o help' lists them. A comma in a value is doubled. May be repeated."
    )
    /// `-n`: write into what is there.
    package static let noCreate = OptionSpec(
        "n",
        "no-create",
        "Write into the target that exists, which must be large enough, instead of creating it: for block devices. "
            + "A qcow2 file must have a disk of the source's size; a new one with the same options takes its place."
    )
    /// `-S`: the run of zeros worth a hole.
    package static let sparseSize = OptionSpec(
        "S",
        "sparse-size",
        value: "SIZE",
        "Length of a run of zero bytes that is not written, a multiple of 512 up to 16M; 4k by default. "
            + "0 writes everything: the target is fully allocated."
    )
    /// `-t`: how what is written uses the page cache.
    package static let targetCache = OptionSpec(
        "t",
        "target-cache",
        value: "CACHE",
        choices: OptionSpec.cacheModes,
        "How writing uses the page cache: unsafe (the default: not flushed), writeback (flushed at the end), "
            + "none (O_DIRECT), writethrough (O_DSYNC) or directsync (both)."
    )
    /// `-B`: the backing file of the target.
    package static let backingFile = OptionSpec(
        "B",
        "backing-file",
        value: "FILE",
        "Make the target an overlay of FILE, and copy only what differs by allocation: as -o backing_file=FILE."
    )
    /// `-F`: its format.
    package static let backingFormat = OptionSpec(
        "F",
        "backing-format",
        value: "FMT",
        choices: OptionSpec.formats,
        "Format of the backing file: as -o backing_fmt=FMT."
    )
    /// `-W`: taken for qemu-img's sake.
    package static let outOfOrder = OptionSpec(
        "W",
        "out-of-order",
        "Accepted as in qemu-img; Dray always writes ranges as they are ready."
    )
    /// `-c`: compressed clusters.
    package static let compress = OptionSpec(
        "c",
        "compress",
        "Write compressed clusters, by zlib or, with -o compression_type=zstd, by zstd. Clusters that do not shrink are stored as they are. A vmdk of subformat streamOptimized is compressed without it."
    )
    /// `--compression`: how hard.
    package static let compression = OptionSpec(
        nil,
        "compression",
        value: "EFFORT",
        choices: ["fast", "balanced", "small"],
        "How hard -c compresses: balanced (the default) gives files no larger than qemu-img's from a disk with files of many kinds, and up to 5 % "
            + "larger from one with some kinds alone; fast is quicker, at files larger by 2 to 12 %, small slower and smaller. Implies -c."
    )
    /// `--compression-level`: the codec's own measure.
    package static let compressionLevel = OptionSpec(
        nil,
        "compression-level",
        value: "N",
        "The codec's level, instead of --compression: 1 to 12 for zlib (libdeflate's), 1 to 22 for zstd. Implies -c."
    )
    /// `--force`: replace the target.
    package static let force = OptionSpec(
        nil,
        "force",
        "Replace the target if it exists, once the new image is whole."
    )
    /// `--keep-partial`: keep the staging file of a failed job.
    package static let keepPartial = OptionSpec(
        nil,
        "keep-partial",
        "Keep the unfinished staging file beside the target when the conversion fails or is stopped."
    )
    /// `--digest`: hash what is copied.
    package static let digest = OptionSpec(
        "d",
        "digest",
        value: "DIGEST",
        choices: ["sha256", "sha512", "blake2b512", "sha1", "none"],
        "Compute the checksum of the content while it is copied, as 'dray checksum' would."
    )
    /// `--journal`: keep the job's log on disk.
    package static let journal = OptionSpec(
        nil,
        "journal",
        value: "FILE",
        "Keep a journal of the job in FILE. After a crash, the same command with the same journal continues "
            + "with what is missing; it refuses if the source changed, and once it is done "
            + "also if the target is gone or another."
    )

    /// The command.
    package static let command = CommandSpec(
        name: "convert",
        summary: "copy disk images to a new image, in any format",
        description: [
            "Copies what the guest sees of SRC to the new image DST. Several sources are concatenated. "
                + "Zeros and holes are found and not copied.",
            "DST appears under its name when it is whole: until then the work is in a staging file beside it. "
                + "A file that exists is not touched without --force or -n.",
            "A raw file of any size stays the same to the byte as raw; qemu-img would fill its last sector of 512 bytes. "
                + "In other formats, and between concatenated sources, a disk has whole sectors.",
        ],
        arguments: [ArgumentSpec("SRC", isRepeatable: true), ArgumentSpec("DST")],
        options: [
            .sourceFormat, .member, targetFormat, creationOptions, .progress, .progressStyle,
            noCreate,
            sparseSize, targetCache, .sourceCache, .snapshot, backingFile, backingFormat, .workers,
            outOfOrder, compress, compression, compressionLevel, digest, .quiet, .forceShare, force,
            keepPartial, journal,
            .allowReferences, .noReferences, .rangeSize,
        ],
        examples: [
            CommandSpec.Example(
                "Raw to qcow2 with a progress bar",
                "dray convert -p -f raw -O qcow2 disk.raw disk.qcow2"
            ),
            CommandSpec.Example(
                "Qcow2 to a block device, past the page cache",
                "dray convert -p -n -t none -O raw disk.qcow2 /dev/vg/disk"
            ),
            CommandSpec.Example(
                "Small clusters, and lazy refcounts",
                "dray convert -O qcow2 -o cluster_size=4k,lazy_refcounts=on disk.raw disk.qcow2"
            ),
            CommandSpec.Example(
                "A compressed image",
                "dray convert -c -O qcow2 -o compression_type=zstd disk.raw disk.qcow2"
            ),
            CommandSpec.Example(
                "Continue after a crash",
                "dray convert -O qcow2 --journal job.log big.raw big.qcow2"
            ),
        ],
        exitCodes: ExitCodeSpec.common
    )
}
