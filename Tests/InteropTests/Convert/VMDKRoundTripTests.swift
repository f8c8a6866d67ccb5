// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// VMDK images that dray writes, as dray reads them.
@Suite struct VMDKRoundTripTests {
    static let subformats = [
        "monolithicSparse", "monolithicFlat", "twoGbMaxExtentSparse", "twoGbMaxExtentFlat",
        "streamOptimized",
    ]

    @Test(arguments: subformats)
    func `a random disk comes back to the byte through every subformat`(
        subformat: String
    ) throws {
        for seed in SeededGenerator.seeds(3) {
            let bench = try Workbench(seed: seed)
            let first = bench.file("first.vmdk")
            try convert(bench.raw, "raw", subformat, first)
            try bench.dray("check", first)
            try bench.dray("compare", "-f", "raw", "-F", "vmdk", bench.raw, first)
            for other in Self.subformats {
                let second = bench.file("second-\(other).vmdk")
                try convert(first, "vmdk", other, second)
                try bench.dray("convert", "-O", "raw", second, bench.file("back.raw"))
                try Tool.check(["cmp", bench.raw, bench.file("back.raw")])
                try Tool.check(["rm", bench.file("back.raw")])
            }
        }
    }

    @Test(arguments: subformats)
    func `a checksum is that of the source`(subformat: String) throws {
        let bench = try Workbench(seed: 12)
        let target = bench.file("target.vmdk")
        let made = try DrayBinary.run([
            "convert", "-d", "sha256", "-f", "raw", "-O", "vmdk", "-o", "subformat=\(subformat)",
            bench.raw, target,
        ])
        let sums = try [bench.raw, target].map { path in
            try DrayBinary.run(["checksum", path]).output.prefix(64)
        }
        #expect(sums[0].count == 64 && sums[0] == sums[1])
        #expect(made.output.contains(sums[0]) || made.error.contains(sums[0]), "\(made)")
    }

    @Test(arguments: subformats)
    func `what was measured is enough`(subformat: String) throws {
        for seed in SeededGenerator.seeds(2) {
            let bench = try Workbench(seed: seed)
            let target = bench.file("target.vmdk")
            try convert(bench.raw, "raw", subformat, target)
            let measured = try DrayBinary.run([
                "measure", "-f", "raw", "-O", "vmdk", "-o", "subformat=\(subformat)", bench.raw,
            ]).output
            let words = measured.split { $0 == " " || $0 == "\n" }.compactMap { UInt64($0) }
            let files = bench.directory.names.filter { $0.hasPrefix("target") }
            let length = try files.reduce(0) { try $0 + Workbench.size(bench.file($1)).length }
            #expect(words.count == 2 && length <= words[0], "\(measured) \(length)")
            #expect(words.count == 2 && words[0] <= words[1])
        }
    }

    private func convert(
        _ source: String,
        _ format: String,
        _ subformat: String,
        _ target: String
    ) throws {
        let result = try DrayBinary.run([
            "convert", "-f", format, "-O", "vmdk", "-o", "subformat=\(subformat)", source, target,
        ])
        try #require(result.succeeded, "\(subformat): \(result.error)")
    }
}
