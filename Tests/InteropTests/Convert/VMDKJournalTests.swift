// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// VMDK targets with a journal: what was killed goes on, and ends as if nothing had been.
@Suite struct VMDKJournalTests {
    /// How many targets of each subformat are made under kills; DRAY_ROUNDS sets it.
    private static let rounds = environmentVariable("DRAY_ROUNDS").flatMap { Int($0) } ?? 8

    /// A source of more than two files of 2044 MiB, with 96 MiB of data all over.
    private func source(_ bench: Workbench) throws -> String {
        let source = bench.file("large.raw")
        try Tool.check(["truncate", "-s", "\(2 * (2044 << 20) + 70_144)", source])
        let writes = (0..<24).flatMap { ["-c", "write -P \($0 + 1) \($0 * 170)M 4M"] }
        try Tool.check(["qemu-io", "-f", "raw"] + writes + [source])
        return source
    }

    @Test(
        .timeLimit(.minutes(max(10, rounds / 4))),
        arguments: ["streamOptimized", "monolithicSparse", "twoGbMaxExtentSparse"]
    )
    func `killed conversions end as undisturbed ones do`(subformat: String) throws {
        var generator = SeededGenerator(for: "kills of \(subformat)")
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let (source, target) = (try source(bench), bench.file("target.vmdk"))
        let options = ["-O", "vmdk", "-o", "subformat=\(subformat)"]
        try Tool.check(["mkdir", bench.file("right")])
        let undisturbed = ["convert", "-f", "raw"] + options
        let times = try KilledConversion.times {
            let right = try DrayBinary.run(undisturbed + [source, bench.file("right/target.vmdk")])
            #expect(right.succeeded, "\(right.error)")
        }
        let files = try Tool.check(["ls", bench.file("right")]).split(separator: "\n").map {
            "\($0)"
        }
        let conversion = KilledConversion(options, journal: bench.file("journal"), source, target)
        try conversion.killAndResume(Self.rounds, within: times, using: &generator) { seed in
            try Tool.check(["bash", "-c", "rm -f \(bench.file("journal"))*"])
            #expect(bench.directory.names == ["large.raw", "right", "source.raw"] + files, seed)
            try expectRight(bench, subformat, files, seed)
            try bench.expectSame(source, "raw", target, "vmdk")
            try bench.expectClean(target, "vmdk")
            try Tool.check(["rm"] + files.map(bench.file))
        }
    }

    /// Expects each file to be as long as that of the undisturbed conversion, and to be the same where the order of writes is the same each
    /// time: grains lie in the order in which threads came.
    private func expectRight(
        _ bench: Workbench,
        _ subformat: String,
        _ files: [String],
        _ seed: Comment
    ) throws {
        for file in files {
            let (mine, right) = (bench.file(file), bench.file("right/" + file))
            #expect(try Workbench.size(mine).length == Workbench.size(right).length, seed)
            let isDescriptor = files.count > 1 && file == "target.vmdk"
            guard isDescriptor || subformat == "streamOptimized" else { continue }
            #expect(try Tool.run(["cmp", mine, right]).succeeded, seed)
        }
    }
}
