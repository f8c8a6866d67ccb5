// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// `info`, `map`, `check` and `measure` say what qemu-img says.
@Suite struct InspectionTests {
    /// Runs both programs on the image of `recipe` with the same words and compares exit codes and answers.
    private func compare(_ recipe: ImageRecipe, _ commands: [[String]]) throws {
        let directory = try recipe.make()
        let image = directory.file("image")
        for words in commands {
            let theirs = try Tool.run(["qemu-img"] + words + [image])
            let ours = try DrayBinary.run(words + [image])
            #expect(ours.status == theirs.status, "\(words): \(ours.error) \(theirs.error)")
            if words.contains("json"), theirs.succeeded || !theirs.output.isEmpty {
                let expected = try JSONValue.parse(theirs.output)
                let found = try JSONValue.parse(ours.output)
                #expect(found == expected, "\(words): \(ours.output) \(theirs.output)")
            } else {
                #expect(ours.output == theirs.output, "\(words): \(ours.error)")
            }
        }
    }

    @Test(.timeLimit(.minutes(15)), arguments: ImageRecipe.whole)
    func `the map is qemu-img's to the byte but for white space`(recipe: ImageRecipe) throws {
        let directory = try recipe.make()
        let image = directory.file("image")
        let ranges = [[], ["-s", "70144", "-l", "1M"], ["--start-offset=1k", "--max-length=3k"]]
        for range in ranges {
            let words = ["map", "--output", "json"] + range + [image]
            let theirs = try Tool.check(["qemu-img"] + words)
            let ours = try DrayBinary.run(words)
            let squeeze = { (text: String) in text.filter { !$0.isWhitespace } }
            #expect(squeeze(ours.output) == squeeze(theirs), "\(range): \(ours.error)")
        }
    }

    @Test(
        .timeLimit(.minutes(15)),
        arguments: ImageRecipe.whole.filter { !$0.name.contains("compressed") }
    )
    func `the human map is qemu-img's`(recipe: ImageRecipe) throws {
        try compare(recipe, [["map"]])
    }

    @Test func `a human map of compressed clusters is refused`() throws {
        let recipe = try #require(ImageRecipe.whole.first { $0.name.contains("compressed cl") })
        let directory = try recipe.make()
        let result = try DrayBinary.run(["map", directory.file("image")])
        #expect(result.status == 4 && result.error.contains("compressed"))
    }

    @Test(.timeLimit(.minutes(15)), arguments: ImageRecipe.whole)
    func `info is qemu-img's`(recipe: ImageRecipe) throws {
        try compare(
            recipe,
            [
                ["info"], ["info", "--output", "json"], ["info", "--backing-chain"],
                ["info", "--output=json", "--backing-chain"],
            ]
        )
    }

    @Test(.timeLimit(.minutes(15)), arguments: ImageRecipe.whole + ImageRecipe.damaged)
    func `check finds what qemu-img finds`(recipe: ImageRecipe) throws {
        try compare(recipe, [["check"], ["check", "-q"], ["check", "--output", "json"]])
    }

    static let targets = [
        ["-O", "raw"], ["-O", "qcow2"], ["-O", "qcow2", "-o", "cluster_size=4k"],
        ["-O", "qcow2", "-o", "cluster_size=2M,refcount_bits=64"],
        ["-O", "qcow2", "-o", "extended_l2=on"], ["-O", "qcow2", "-o", "compat=0.10"],
        ["-O", "qcow2", "-o", "preallocation=full"],
        ["-O", "qcow2", "-o", "backing_file=base", "-o", "backing_fmt=raw"],
    ]

    @Test(.timeLimit(.minutes(15)), arguments: ImageRecipe.whole)
    func `measure reckons as qemu-img does`(recipe: ImageRecipe) throws {
        let commands = Self.targets.flatMap {
            [["measure"] + $0, ["measure", "--output", "json"] + $0]
        }
        try compare(recipe, commands)
    }

    @Test(
        .timeLimit(.minutes(15)),
        arguments: ["0", "1000", "1.5G", "64M", "1T", "0x4000", "3.25k", "2t", "512b", "1e"]
    )
    func `sizes mean what they mean to qemu-img`(size: String) throws {
        for target in Self.targets.prefix(2) {
            let words = ["measure", "--output", "json", "--size", size] + target
            let theirs = try Tool.run(["qemu-img"] + words)
            let ours = try DrayBinary.run(words)
            #expect(ours.succeeded == theirs.succeeded, "\(ours.error) \(theirs.error)")
            guard theirs.succeeded else { continue }
            let (found, expected) = try (
                JSONValue.parse(ours.output), JSONValue.parse(theirs.output)
            )
            #expect(found == expected)
        }
    }

    @Test(arguments: [
        512, 1023, 1024, 10_229, 1_022_976, 1_024_000, 1_047_552, 1_048_576, 10_480_517_120,
        1_072_693_248, 1_073_741_824, 1_073_741_824_000,
    ])
    func `sizes for people have the digits that qemu-img gives them`(size: Int) throws {
        let directory = try TemporaryDirectory()
        let image = directory.file("image")
        try Tool.check(["truncate", "-s", String(size), image])
        let theirs = try Tool.check(["qemu-img", "info", "-f", "raw", image])
        let ours = try DrayBinary.run(["info", "-f", "raw", image])
        #expect(ours.output == theirs)
    }

    @Test(arguments: ["", "x", "1.5", "1kk", "-1", "1,5k", "k", "0xg", "99999999999T", "1 k"])
    func `what is no size to qemu-img is none here`(size: String) throws {
        let words = ["measure", "-O", "raw", "--size", size]
        #expect(try Tool.run(["qemu-img"] + words).status != 0)
        #expect(try DrayBinary.run(words).status == 2)
    }
}
