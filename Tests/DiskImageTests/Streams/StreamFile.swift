// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport

/// A disk inside a compressed stream that a program of the machine made.
struct StreamFile {
    /// How the stream is made, by a shell that has the disk's file in `$1` and the stream's in `$2`.
    struct Recipe: Sendable, CustomStringConvertible {
        let description: String
        let kind: StreamKind
        let script: String
    }

    /// Everything that the decoders tell apart.
    static let recipes = [
        Recipe(description: "gzip", kind: .gzip, script: "gzip -1 -n -c $1 > $2"),
        Recipe(description: "gzip with a name", kind: .gzip, script: "gzip -9 -N -c $1 > $2"),
        Recipe(
            description: "gzip of three members, padded",
            kind: .gzip,
            script: """
                for part in '-c 1000000' '-c +1000001' ''; do
                    case $part in -c\\ +*) tail $part $1;; -c*) head $part $1;; esac | gzip -1
                done > $2; head -c 4096 /dev/zero >> $2
                """
        ),
        Recipe(
            description: "gzip of stored blocks",
            kind: .gzip,
            script: """
                python3 -c "import sys, zlib
                data = open(sys.argv[1], 'rb').read()
                packer = zlib.compressobj(0, zlib.DEFLATED, 31)
                open(sys.argv[2], 'wb').write(packer.compress(data) + packer.flush())" $1 $2
                """
        ),
        Recipe(description: "xz of one block", kind: .xz, script: "xz -0 -T1 -c $1 > $2"),
        Recipe(
            description: "xz of blocks",
            kind: .xz,
            script: "xz -0 -T2 --block-size=1MiB --check=sha256 -c $1 > $2"
        ),
        Recipe(
            description: "xz of streams with padding",
            kind: .xz,
            script: """
                head -c 3000000 $1 | xz -0 --block-size=1MiB > $2; head -c 8 /dev/zero >> $2
                tail -c +3000001 $1 | xz -1 --check=none >> $2; xz -0 < /dev/null >> $2
                """
        ),
        Recipe(description: "zstd of one frame", kind: .zstd, script: "zstd -q -1 -c $1 > $2"),
        Recipe(
            description: "zstd with a long window",
            kind: .zstd,
            script: "zstd -q -1 --long=27 -c < $1 > $2"
        ),
        Recipe(
            description: "zstd of frames, skippable ones between",
            kind: .zstd,
            script: """
                printf '\\120\\052\\115\\030\\003\\000\\000\\000abc' > $2
                for first in 0 1 2 3 4 5 6 7 8 9; do
                    tail -c +$((first * 700000 + 1)) $1 | head -c 700000 | zstd -q -1 >> $2
                    printf '\\137\\052\\115\\030\\000\\000\\000\\000' >> $2
                done
                tail -c +7000001 $1 | zstd -q --no-check >> $2
                """
        ),
    ]

    let directory: TemporaryDirectory
    let disk: ImageDescription
    let path: String

    /// Compresses `disk` as `recipe` says.
    init(_ disk: ImageDescription, _ recipe: Recipe) throws {
        directory = try TemporaryDirectory()
        self.disk = disk
        path = directory.file("disk.stream")
        let raw = directory.file("disk.raw")
        try disk.writeRaw(to: raw)
        try Tool.check(["sh", "-ec", recipe.script, "sh", raw, path])
    }

    /// A random disk of up to `size` bytes, of data with zeros in between, that ends anywhere.
    static func disk(_ generator: inout SeededGenerator, size: UInt64) -> ImageDescription {
        .random(using: &generator, largestSize: size, sizeUnit: 1)
    }

    /// The storage that counts what is read of the stream.
    func storage() throws -> CountingStorage {
        CountingStorage(try StorageOpener.open(path, for: .reading, cache: .writeback))
    }
}
