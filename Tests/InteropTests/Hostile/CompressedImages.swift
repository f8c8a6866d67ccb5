// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport

/// Images of four compressed clusters, laid out by hand, of which the third is wrong or unusual.
enum CompressedImages {
    /// What becomes of an image.
    enum End: Sendable {
        /// It is read, as qemu-img reads it.
        case read
        /// It is refused with an error that has this text.
        case refused(String)
    }

    private static let cluster = "cannot be read: its "
    private static let ended = End.refused(cluster + "deflate stream has only")
    private static let broken = End.refused(cluster + "deflate stream is damaged or cut off")
    private static let long = End.refused(cluster + "deflate stream has more bytes than a cluster")
    private static let damaged = End.refused(cluster + "zstd stream is damaged")
    private static let entry = "the L2 entry for guest offset"

    /// The images that ``script`` makes, and what becomes of each.
    static let all: [(String, End)] = [
        ("right", .read), ("junk-behind", .read), ("more-sectors", .read), ("copied", .read),
        ("sectors-beyond-file", .read), ("stream-cut-by-file", .refused(cluster)),
        ("beyond-file", .refused(entry)), ("at-end-of-file", .refused(entry)),
        ("every-bit", .refused(entry)), ("nothing-but-the-flag", broken),
        ("too-few-sectors", broken), ("one-byte-short", ended), ("empty", ended),
        ("one-byte-long", long), ("a-mebibyte-long", long), ("noise", broken), ("zeros", broken),
        ("zlib-wrapper", broken), ("in-the-L2-table", .read), ("in-the-header", broken),
        ("in-the-L1-table", broken), ("far-distances", .read), ("2M", .read), ("shared", .read),
        ("extended", .read), ("extended-subclusters", .refused("with subclusters")),
        ("data-file", .refused("beside a data file")),
        ("zstd", .read), ("zstd-junk-behind", .read), ("zstd-checksum", .read),
        ("zstd-wrong-checksum", damaged), ("zstd-two-frames", .read),
        ("zstd-skippable", .read), ("zstd-empty-frames", .read),
        ("zstd-second-frame-behind", .read), ("zstd-wide-window", .read),
        ("zstd-short", .refused("zstd stream has only")),
        ("zstd-long", .refused("zstd stream has more bytes than a cluster")),
        ("zstd-wrong-size", damaged), ("zstd-noise", damaged), ("zstd-zeros", damaged),
        ("zstd-window-of-2G", .refused("zstd stream")),
        ("zstd-empty-blocks", .refused("zstd stream is cut off")),
        ("zstd-legacy", damaged), ("zstd-2M-long", .read),
    ]

    /// Makes the images in a directory, each as NAME.qcow2.
    static func make(in directory: String) throws {
        try Tool.check(["python3", "-c", script, directory])
    }

    private static let script = #"""
        import os, random, struct, subprocess, sys, zlib
        os.chdir(sys.argv[1])
        noise = random.Random(1).randbytes

        def deflate(data):
            packer = zlib.compressobj(6, zlib.DEFLATED, -15)
            return packer.compress(data) + packer.flush()

        def zstd(data, *options):
            return subprocess.run(["zstd", "-q", "-c", *options], input=data, stdout=-1, check=True).stdout

        def text(count, start=0):
            return b"".join(b"line %d\n" % (start + line) for line in range(count // 6))[:count]

        # Clusters 1 to 4: refcount table and block, L1 and L2 table. The third of four clusters is `stream`, stored at
        # `place` and said to be in `sectors`; or the L2 entry is `word`.
        def image(name, stream=None, bits=12, zstd_type=False, place=None, sectors=None, word=None, cut=None,
                extended=False, bitmap=0, data_file=b"", extra=b""):
            size = 1 << bits
            data = bytearray(9 * size)
            features = zstd_type * 8 | extended * 16 | bool(data_file) * 4
            struct.pack_into(">IIQIIQIIQQIIQ", data, 0, 0x514649FB, 3, 0, 0, bits, 4 * size, 0, 1, 3 * size, size, 1, 0, 0)
            struct.pack_into(">QQQIIB", data, 72, features, 0, 0, 4, 112, zstd_type)
            if data_file: struct.pack_into(">II8s", data, 112, 0x44415441, len(data_file), data_file)
            struct.pack_into(">Q", data, size, 2 * size)
            struct.pack_into(">Q", data, 3 * size, 4 * size | 1 << 63)
            pack, end = zstd if zstd_type else deflate, 5 * size
            for cluster in range(4):
                body, count, at = pack(text(size, cluster)), None, end
                if cluster == 2 and stream is not None: body, count = stream, sectors
                if cluster == 2 and place is not None: at = place
                if at == end: end = (end + len(body) + (511 if bits > 9 else 0)) // 512 * 512
                if len(data) < at + len(body): data += bytes(at + len(body) - len(data))
                data[at:at + len(body)] = body
                if count is None: count = (at % 512 + max(len(body), 1) - 1) // 512
                entry = 1 << 62 | count << (70 - bits) | at
                if cluster == 2 and word is not None: entry = word
                struct.pack_into(">QQ" if extended else ">Q", data, 4 * size + cluster * (16 if extended else 8),
                    *([entry, bitmap] if extended else [entry]))
            data += extra
            for cluster in range(min(len(data) // size + 1, size // 2)): struct.pack_into(">H", data, 2 * size + 2 * cluster, 1)
            with open(name + ".qcow2", "wb") as file: file.write(data if cut is None else data[:cut])

        size, good = 4096, deflate(text(4096, 2))
        image("right")
        image("junk-behind", good + b"\xff" * (-len(good) % 512), sectors=(len(good) - 1) // 512)
        image("more-sectors", good + b"\xff" * 2048)
        image("copied", word=3 << 62 | (len(good) - 1) // 512 << 58 | 40960, extra=bytes(40960 - 9 * size) + good)
        image("sectors-beyond-file", good, place=45056, sectors=15, cut=45056 + len(good))
        image("stream-cut-by-file", good, place=45056, sectors=15, cut=45056 + len(good) - 1)
        image("beyond-file", word=1 << 62 | 1 << 40)
        image("at-end-of-file", good, place=9 * size, cut=9 * size)
        image("every-bit", word=(1 << 63) - 1)
        image("nothing-but-the-flag", word=1 << 62)
        image("too-few-sectors", deflate(noise(4096)), sectors=0)
        image("one-byte-short", deflate(text(4095)))
        image("empty", deflate(b""))
        image("one-byte-long", deflate(text(4097)), sectors=15)
        image("a-mebibyte-long", deflate(text(4096) + bytes(1 << 20)), sectors=15)
        image("noise", noise(4096))
        image("zeros", bytes(4096))
        image("zlib-wrapper", zlib.compress(text(4096)))
        image("in-the-L2-table", good, place=4 * size + 512)
        image("in-the-header", word=1 << 62 | 3 << 58)
        image("in-the-L1-table", word=1 << 62 | 3 << 58 | 3 * size)
        image("far-distances", deflate((noise(30000) * 3)[:65536]), bits=16)
        image("2M", deflate(text(1 << 21)), bits=21)
        streams = [deflate(bytes([number]) * size) for number in range(4)]
        image("shared", word=1 << 62 | 9 * size + len(streams[0]), extra=b"".join(streams))
        image("extended", bits=14, extended=True)
        image("extended-subclusters", bits=14, extended=True, bitmap=1)
        open("data", "wb").write(bytes(4 * size))
        image("data-file", data_file=b"data")

        whole = text(4096, 2)
        with open("sized", "wb") as file: file.write(whole)
        sized = bytearray(subprocess.run(["zstd", "-q", "-c", "--no-check", "sized"], stdout=-1, check=True).stdout)
        frame = lambda window: struct.pack("<IBB", 0xFD2FB528, 0, (window - 10) << 3)
        block = lambda data, last: struct.pack("<I", len(data) << 3 | last)[:3] + data
        skipped = struct.pack("<II", 0x184D2A5A, 7) + b"skipped"
        checked = zstd(whole, "--check")
        wrong = checked[:-1] + bytes([checked[-1] ^ 1])
        streams = {
            "": zstd(whole), "-junk-behind": zstd(whole) + b"\xff" * 100, "-checksum": checked,
            "-wrong-checksum": wrong, "-two-frames": zstd(whole[:999]) + zstd(whole[999:]),
            "-skippable": skipped + zstd(whole[:999]) + skipped + zstd(whole[999:]),
            "-empty-frames": zstd(b"") * 3 + zstd(whole), "-second-frame-behind": zstd(whole) * 2,
            "-wide-window": frame(27) + block(whole[:9], 0) + block(whole[9:], 1),
            "-short": zstd(whole[:-1]), "-long": zstd(whole + b"x"), "-noise": noise(4096), "-zeros": bytes(99),
            "-window-of-2G": frame(31) + block(whole[:9], 1), "-empty-blocks": frame(12) + bytes(6000),
            "-legacy": struct.pack("<I", 0xFD2FB527) + bytes(99),
        }
        for name, stream in streams.items(): image("zstd" + name, stream, zstd_type=True)
        sized[5] ^= 1
        image("zstd-wrong-size", bytes(sized), zstd_type=True)
        image("zstd-2M-long", zstd(text(1 << 21), "--long=27"), bits=21, zstd_type=True)
        """#
}
