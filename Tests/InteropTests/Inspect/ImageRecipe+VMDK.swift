// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

extension ImageRecipe {
    /// Writes and holes in units that suit grains and do not.
    private static let strokes =
        "'write -P 1 0 3M' 'write -P 2 5M 512k' 'write -P 3 8388096 512' 'write -P 4 7000000 1000'"

    private static func vmdk(_ options: String, size: String = "8M", strokes: String = strokes)
        -> ImageRecipe
    {
        ImageRecipe(
            "vmdk \(options), \(size)",
            "create -f vmdk -o \(options) image \(size); io image \(strokes)"
        )
    }

    /// Disks as qemu makes them, each way.
    static let vmdk: [ImageRecipe] =
        [
            "subformat=monolithicSparse", "subformat=monolithicFlat", "compat6=on",
            "subformat=twoGbMaxExtentSparse", "subformat=twoGbMaxExtentFlat",
            "adapter_type=lsilogic,zeroed_grain=on,hwversion=11",
        ].map { vmdk($0) }
        + ["monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat"]
        .flatMap { format in
            [
                vmdk("subformat=\(format)", size: "8389120"),
                vmdk(
                    "subformat=\(format)",
                    size: "4297M",
                    strokes:
                        "'write -P 1 2146959360 1M' 'write -P 2 4G 64k' 'write -P 3 4505714688 4k'"
                ),
            ]
        }
        + [
            vmdk(
                "zeroed_grain=on,subformat=twoGbMaxExtentSparse",
                strokes: "'write -P 1 0 3M' 'write -z 1M 1M' 'write -z 5M 64k'"
            ),
            ImageRecipe("vmdk, empty", "create -f vmdk image 1G"),
            ImageRecipe("vmdk, a sector", "create -f vmdk image 512; io image 'write -P 7 0 512'"),
            ImageRecipe("vmdk, 9 GiB", "create -f vmdk image 9G; io image 'write 8190M 64M'"),
            ImageRecipe(
                "vmdk, overlay",
                "create -f vmdk base 8M; io base 'write -P 9 0 6M'; "
                    + "create -f vmdk -o zeroed_grain=on -b base -F vmdk image; "
                    + "io image 'write -P 1 1M 64k' 'write -z 2M 1M'"
            ),
            ImageRecipe(
                "vmdk, chain of three over extents",
                "create -f vmdk -o subformat=twoGbMaxExtentFlat base 8M; io base 'write -P 9 0 6M'; "
                    + "create -f vmdk -o subformat=twoGbMaxExtentSparse -b base -F vmdk middle; "
                    + "io middle 'write -P 1 1M 64k'; "
                    + "create -f vmdk -b middle -F vmdk image; io image 'write -P 2 1100k 64k'"
            ),
            ImageRecipe(
                "qcow2 on vmdk",
                "create -f vmdk base 8M; io base 'write -P 9 0 6M'; "
                    + "create -f qcow2 -b base -F vmdk image; io image 'write -P 1 1M 64k'"
            ),
        ] + streams

    /// Compressed disks: random bytes, text, zeros.
    static let streams =
        [
            // Most grain tables are not there.
            ImageRecipe(
                "vmdk compressed, far apart",
                "truncate -s 1G raw; for at in 33 40 700 1020; do "
                    + "echo data | dd of=raw bs=1M seek=$at conv=notrunc status=none; done; "
                    + "qemu-img convert -O vmdk -o subformat=streamOptimized raw image"
            )
        ]
        + ["5M", "70000", "1", "64k", "40M"].map { size in
            ImageRecipe(
                "vmdk compressed, \(size)",
                "yes 'some text' | head -c \(size) > raw || true; "
                    + "head -c 100000 /dev/urandom | dd of=raw bs=4096 seek=11 conv=notrunc status=none; "
                    + "truncate -s \(size) raw; "
                    + "qemu-img convert -O vmdk -o subformat=streamOptimized raw image"
            )
        }
}
