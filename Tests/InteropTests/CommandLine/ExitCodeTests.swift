// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// The exit codes and messages that docs/cli.md promises.
@Suite struct ExitCodeTests {
    /// A directory with a raw image, a qcow2 of it, and images with something wrong.
    private func makeDirectory() throws -> TemporaryDirectory {
        let recipe = ImageRecipe(
            "several",
            """
            head -c 100000 /dev/urandom > image; qemu-img convert -f raw -O qcow2 image image.qcow2
            create -f qcow2 secret --object secret,id=s,data=x -o encrypt.format=aes,encrypt.key-secret=s 1M 2> /dev/null
            create -f qcow2 broken 1M; printf '\\xff' | dd of=broken bs=1 seek=23 conv=notrunc status=none
            create -f qcow2 -u -b /etc/hostname -F raw outside 1M
            """
        )
        return try recipe.make()
    }

    static let cases: [(Int32, [String], String)] = [
        (0, ["--version"], ""), (0, ["--help"], ""), (0, ["convert", "--help"], ""),
        (0, ["convert", "-O", "qcow2", "-o", "help"], ""),
        (0, ["measure", "-O", "qcow2", "-o", "help"], ""),
        (1, ["info", "missing"], "No such file"),
        (1, ["convert", "missing", "out"], "No such file"),
        (1, ["convert", "image", "no/such/directory/out"], "No such file"),
        (1, ["check"], "missing argument: IMAGE"), (1, ["check", "missing"], "No such file"),
        (2, [], "missing command"), (2, ["explode"], "unknown command 'explode'"),
        (2, ["convert", "image"], "missing argument: DST"),
        (2, ["convert", "--zap", "image", "out"], "unknown option '--zap'"),
        (2, ["convert", "-O", "vhs", "image", "out"], "unknown format 'vhs'"),
        (2, ["convert", "-t", "maybe", "image", "out"], "unknown cache mode 'maybe'"),
        (2, ["convert", "-S", "1000", "image", "out"], "multiple of 512"),
        (2, ["convert", "-S", "17M", "image", "out"], "16M"),
        (2, ["convert", "-S", "big", "image", "out"], "'big' is not a size"),
        (2, ["convert", "-m", "0", "image", "out"], "1 to 64"),
        (2, ["convert", "-n", "--force", "image", "out"], "contradict"),
        (2, ["convert", "-B", "x", "-o", "backing_file=y", "image", "out"], "contradict"),
        (2, ["convert", "-O", "qcow2", "-o", "colour=red", "image", "out"], "colour"),
        (2, ["convert", "-l", "s", "image", "image", "out"], "one source"),
        (2, ["convert", "-l", "snapshot.id=1,snapshot.shoe=2", "image", "out"], "snapshot.shoe"),
        (2, ["convert", "image", "nbd:localhost:10809"], "write ./"),
        (2, ["convert", "-n", "image", "json:{\"driver\": \"nbd\"}"], "write ./"),
        (2, ["convert", "image", "file:out"], "write ./"),
        (2, ["convert", "--range-size", "5M", "image", "out"], "multiple of 4M"),
        (2, ["convert", "--progress", "loud", "image", "out"], "loud"),
        (2, ["info", "--output", "xml", "image"], "xml"), (2, ["measure"], "FILE or --size"),
        (2, ["measure", "--size", "1M", "image"], "FILE or --size"),
        (2, ["info", "--no-references", "--allow-references", "/", "image"], "contradict"),
        (2, ["completion", "fish"], "bash"),
        (3, ["convert", "-f", "qcow2", "image", "out"], "magic"),
        (3, ["info", "broken"], "cluster_bits"),
        (2, ["convert", "-c", "image", "out"], "cannot be compressed (-c)"),
        (4, ["checksum", "secret"], "encrypted"),
        (4, ["checksum", "/dev/null"], "character device"),
        (5, ["convert", "image", "image.qcow2"], "exists"),
        (5, ["checksum", "outside"], "--allow-references /etc"),
        (0, ["checksum", "--allow-references", "/etc", "outside"], ""),
    ]

    @Test(arguments: cases.indices)
    func `each kind of failure has its code and says what is wrong`(index: Int) throws {
        let (code, words, message) = Self.cases[index]
        let directory = try makeDirectory()
        let names = directory.names
        let placed = words.map { names.contains($0) || $0 == "out" ? directory.file($0) : $0 }
        let result = try DrayBinary.run(placed)
        #expect(result.status == code, "\(words): \(result.error)")
        #expect(result.error.contains(message), "\(words): \(result.error)")
        #expect(code == 0 || result.error.hasPrefix("dray: "), "\(result.error)")
        // What only a format can tell comes without the hint at the command's options.
        let isOfFormat = words.contains { $0 == "-o" || $0 == "-c" }
        #expect(code != 2 || isOfFormat || result.error.contains("--help"))
        #expect(directory.names == names, "nothing is left behind")
    }

    @Test func `output that cannot be written is an error`() throws {
        let command = "'\(DrayBinary.path)' --help > /dev/full"
        let result = try Tool.run(["bash", "-c", command])
        #expect(result.status == 1 && result.error.contains("No space left"), "\(result.error)")
    }

    @Test(arguments: [
        ("info image$'\\xff'", 2), ("check image$'\\xff'", 1), ("convert image out$'\\xfe'", 2),
    ])
    func `a name that is not UTF-8 is refused, not another one taken`(
        words: String,
        code: Int32
    ) throws {
        let directory = try makeDirectory()
        let names = directory.names
        let script = "cd '\(directory.path)'; '\(DrayBinary.path)' \(words)"
        let result = try Tool.run(["bash", "-c", script])
        #expect(result.status == code && result.error.contains("is not UTF-8"), "\(result.error)")
        #expect(directory.names == names, "nothing is left behind")
    }

    @Test func `names are escaped in messages`() throws {
        let result = try DrayBinary.run(["info", "no\u{1B}[2Jsuch\nfile"])
        #expect(result.error.split(separator: "\n").count == 1)
        #expect(!result.error.contains("\u{1B}"))
    }
}
