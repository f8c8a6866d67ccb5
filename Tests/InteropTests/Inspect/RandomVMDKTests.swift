// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// Random VMDK disks that qemu made are to dray what they are to qemu-img.
@Suite struct RandomVMDKTests {
    static let recipes = VMDKRoundTripTests.subformats.flatMap { subformat in
        SeededGenerator.seeds(3).map { ImageRecipe.randomVMDK(subformat, seed: $0) }
    }

    @Test(.timeLimit(.minutes(15)), arguments: recipes)
    func `content, checksum, map, description and state are qemu-img's`(recipe: ImageRecipe) throws
    {
        let directory = try recipe.make()
        let (image, theirs, ours) = (
            directory.file("image"), directory.file("theirs"), directory.file("ours")
        )
        try Tool.check(["qemu-img", "convert", "-f", "vmdk", "-O", "raw", image, theirs])
        let converted = try DrayBinary.run(["convert", "-O", "raw", image, ours])
        try #require(converted.succeeded, "\(recipe.script): \(converted.error)")
        // cmp(1) would read all of the holes.
        let same = try Tool.run([
            "qemu-img", "compare", "-f", "raw", "-F", "raw", theirs, ours,
        ])
        #expect(same.succeeded, "\(recipe.script): \(same.output)")
        let sums = try [["checksum", image], ["checksum", "-f", "raw", theirs]].map { words in
            try DrayBinary.run(words).output.prefix { $0 != " " }
        }
        #expect(sums[0].count == 64 && sums[0] == sums[1], "\(recipe.script)")
        for words in [["map", "--output", "json"], ["info", "--output", "json"], ["check"]] {
            let expected = try Tool.run(["qemu-img"] + words + [image])
            let found = try DrayBinary.run(words + [image])
            #expect(found.status == expected.status, "\(recipe.script): \(found.error)")
            guard words.count > 1 else { continue }
            #expect(
                try JSONValue.parse(found.output) == JSONValue.parse(expected.output),
                "\(recipe.script): \(found.output) \(expected.output)"
            )
        }
    }
}
