// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// How to make an image with qemu's tools: a shell script that leaves it as `image` in an empty directory.
struct ImageRecipe: Sendable, CustomTestStringConvertible {
    /// What is special about the image.
    let name: String
    /// The script.
    let script: String

    init(_ name: String, _ script: String) {
        self.name = name
        self.script = script
    }

    var testDescription: String { name }

    /// Makes the image in a directory of its own, which lives as long as the result.
    func make() throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let prelude = """
            set -e
            cd '\(directory.path)'
            create() { qemu-img create -q "$@"; }
            io() { image=$1; shift; for c in "$@"; do set -- "$@" -c "$c"; shift; done; \
            qemu-io "$@" "$image" > /dev/null; }
            poke() { python3 -c "import sys; f = open('image', 'r+b'); f.seek($1); f.write(bytes.fromhex('$2'))"; }

            """
        try Tool.check(["bash", "-c", prelude + script])
        return directory
    }
}

extension ImageRecipe {
    /// Writes, zeros with and without space, holes: in units that suit clusters of any size.
    private static let strokes =
        "'write -P 1 0 3M' 'write -P 2 5M 512k' 'write -z 1M 1M' 'write -z -u 2M 512k' "
        + "'discard 2560k 256k' 'write -P 3 8388096 512' 'write -z 7M 128k'"

    /// A qcow2 image of 8 MiB with these creation options, written here and there.
    private static func qcow2(_ options: String) -> ImageRecipe {
        ImageRecipe(
            "qcow2 \(options)",
            "create -f qcow2 -o \(options) image 8M; io image \(strokes)"
        )
    }

    /// Raw images.
    static let raw = [
        ImageRecipe("raw, empty", "create -f raw image 0"),
        ImageRecipe("raw, all hole", "create -f raw image 3M"),
        ImageRecipe("raw, 1000 bytes", "head -c 1000 /dev/urandom > image"),
        ImageRecipe("raw, hole of 70000 bytes", "truncate -s 70000 image"),
        ImageRecipe(
            "raw, holes and an odd end",
            "truncate -s 5000001 image; "
                + "for at in 1 60 61 900; do printf x | dd of=image bs=4096 seek=$at conv=notrunc status=none; done"
        ),
    ]

    /// Qcow2 images with each option.
    static let qcow2: [ImageRecipe] =
        [
            "compat=0.10", "cluster_size=512", "cluster_size=4k", "cluster_size=2M",
            "refcount_bits=1",
            "refcount_bits=8", "refcount_bits=32", "refcount_bits=64", "lazy_refcounts=on",
            "extended_l2=on", "extended_l2=on,cluster_size=16k", "preallocation=metadata",
            "preallocation=falloc", "preallocation=full", "data_file=$PWD/payload",
            "data_file=$PWD/payload,data_file_raw=on", "compression_type=zstd",
        ].map(qcow2)
        + [
            ImageRecipe("qcow2, empty", "create -f qcow2 image 1G"),
            ImageRecipe(
                "qcow2, subclusters in a data file",
                "create -f qcow2 -o extended_l2=on,data_file=$PWD/payload image 4M; "
                    + "io image 'write 2k 2k' 'write -z 80k 4k' 'write 1M 2k'"
            ),
            ImageRecipe(
                "qcow2, zeros at the start of a data file",
                "create -f qcow2 -o cluster_size=16k,data_file=$PWD/payload,data_file_raw=on image 4M; "
                    + "io image 'write -z 0 704k' 'write 1M 64k'"
            ),
            ImageRecipe("qcow2, no bytes", "create -f qcow2 image 0"),
            ImageRecipe("qcow2, 1 TiB", "create -f qcow2 image 1T; io image 'write 999G 64M'"),
            ImageRecipe(
                "qcow2, preallocated and empty",
                "create -f qcow2 -o preallocation=metadata image 64M"
            ),
            ImageRecipe(
                "qcow2, compressed clusters among others",
                "create -f qcow2 image 8M; io image 'write -c -P 1 0 64k' 'write -c -P 2 64k 64k' "
                    + "'write -P 3 128k 64k' 'write -c -P 4 1M 64k' 'write -P 5 8000k 64k'"
            ),
            ImageRecipe(
                "qcow2, two snapshots",
                "create -f qcow2 image 8M; io image 'write 0 1M'; qemu-img snapshot -c one image; "
                    + "io image 'write 512k 1M'; qemu-img snapshot -c 'the second' image; io image 'write 3M 64k'"
            ),
            ImageRecipe(
                "qcow2, bitmaps",
                "create -f qcow2 image 8M; qemu-img bitmap --add image first; "
                    + "qemu-img bitmap --add -g 1M --disable image second; io image 'write 0 3M'"
            ),
            ImageRecipe(
                "qcow2, dirty",
                "create -f qcow2 -o lazy_refcounts=on image 8M; io image 'write 0 64k' abort 2> /dev/null || true"
            ),
        ]

    /// Chains of one to five layers, of lengths that differ.
    static let chains =
        [
            ImageRecipe(
                "overlay of raw",
                "create -f raw base 3M; io base 'write 0 64k' 'write 2M 1M'; "
                    + "create -f qcow2 -b base -F raw image 4M; io image 'write 128k 64k' 'write -z 0 64k'"
            ),
            ImageRecipe(
                "overlay longer than a base that ends inside a sector",
                "head -c 100001 /dev/urandom > base; create -f qcow2 -b base -F raw image 1M"
            ),
            ImageRecipe(
                "overlay shorter than its base",
                "create -f raw base 3M; io base 'write 0 3M'; create -f qcow2 -b base -F raw image 1536k"
            ),
            ImageRecipe(
                "overlay of 700 bytes",
                "head -c 1000 /dev/urandom > base; create -f qcow2 -b base -F raw image 700"
            ),
            ImageRecipe(
                "base named by an absolute path",
                "create -f raw base 1M; create -f qcow2 -b $PWD/base -F raw image"
            ),
            ImageRecipe(
                "base below",
                "mkdir sub; create -f qcow2 sub/base 1M; io sub/base 'write 0 512k'; "
                    + "create -f qcow2 -b sub/base -F qcow2 image; io image 'write 0 64k'"
            ),
            ImageRecipe(
                "subclusters over a base",
                "create -f qcow2 base 4M; io base 'write 0 4M'; "
                    + "create -f qcow2 -o extended_l2=on -b base -F qcow2 image; "
                    + "io image 'write 2k 2k' 'write -z 8k 4k' 'write 1M 64k' 'write -z 3M 64k'"
            ),
        ] + (2...5).map(chain)

    private static func chain(_ depth: Int) -> ImageRecipe {
        var script = "create -f qcow2 -o cluster_size=4k layer1 3M; io layer1 'write 0 1M'; "
        for level in 2...depth {
            let size = 2 + level % 3
            script += "create -f qcow2 -b layer\(level - 1) -F qcow2 layer\(level) \(size)M; "
            script +=
                "io layer\(level) 'write \(level * 200)k 100k' 'write -z \(level * 150)k 64k'; "
        }
        return ImageRecipe("chain of \(depth)", script + "mv layer\(depth) image")
    }

    /// Every image that is whole.
    static let whole = raw + qcow2 + chains + vmdk

    /// Qcow2 images with a wound. The tables of a fresh image with clusters of 64 KiB lie at known places: refcount
    /// blocks at 128k, L1 at 192k, the first L2 table at 256k, data behind.
    static let damaged = [
        wound("a leaked cluster", "poke 262144 0000000000000000"),
        wound("two leaked clusters", "poke 262144 00000000000000000000000000000000"),
        wound("a data cluster with refcount 0", "poke 131082 0000"),
        wound("a data cluster with refcount 2", "poke 131082 0002"),
        wound("an L2 table with refcount 0", "poke 131080 0000"),
        wound("an L2 entry that is not aligned", "poke 262144 8000000000050200"),
        wound("an L2 entry beyond the end", "poke 262144 8000000010000000"),
        wound("two L2 entries for one cluster", "poke 262152 8000000000050000"),
        wound("a copied flag too few", "poke 262144 0000000000050000"),
        wound("an L1 entry without the copied flag", "poke 196608 0000000000040000"),
        wound("a refcount block twice", "poke 65544 0000000000020000"),
    ]

    private static func wound(_ name: String, _ script: String) -> ImageRecipe {
        ImageRecipe(name, "create -f qcow2 image 4M; io image 'write 0 256k'; " + script)
    }
}
