// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import TestSupport
internal import Testing

/// Images that other vendors' programs wrote.
@Suite struct SampleTests {
    struct Sample: Decodable, Sendable {
        let file: String
        let compressed: String
        let format: String?
        let rawDigest: String?

        private enum CodingKeys: String, CodingKey {
            case file
            case compressed
            case format
            case rawDigest = "raw_sha256"
        }
    }

    /// All samples and, without a format, the extents of some.
    static let samples: [Sample] = {
        guard let path = SharedFiles.path("samples/manifest.json"),
            let data = try? Data(contentsOf: URL(filePath: path)),
            let all = try? JSONDecoder().decode([Sample].self, from: data)
        else { return [] }
        return all
    }()

    @Test(
        .enabled(if: !samples.isEmpty, "the samples are not beside the repository"),
        arguments: samples.filter { $0.format == "qcow2" || $0.format == "vmdk" }
    )
    func `a sample converts to its known raw content`(sample: Sample) throws {
        let directory = try TemporaryDirectory()
        // A disk's extents are samples beside it.
        let stem = sample.file.prefix { $0 != "." }
        for file in Self.samples where file.file.hasPrefix(stem) {
            let packed = try #require(SharedFiles.path("samples/\(file.compressed)"))
            try Tool.check(["bash", "-c", "xz -dc '\(packed)' > '\(directory.file(file.file))'"])
        }
        let (image, raw) = (directory.file(sample.file), directory.file("out.raw"))
        let result = try DrayBinary.run(["convert", "-O", "raw", image, raw])
        try #require(result.succeeded, "\(result.error)")
        let digest = try Tool.check(["sha256sum", raw])
        #expect(digest.hasPrefix(sample.rawDigest ?? "?"), "\(sample.file)")
        let check = try DrayBinary.run(["check", image])
        #expect(check.succeeded, "\(check)")
    }
}
