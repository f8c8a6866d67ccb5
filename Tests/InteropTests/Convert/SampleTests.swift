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

    static let samples: [Sample] = {
        guard let path = SharedFiles.path("samples/manifest.json"),
            let data = try? Data(contentsOf: URL(filePath: path)),
            let all = try? JSONDecoder().decode([Sample].self, from: data)
        else { return [] }
        return all.filter { $0.format == "qcow2" }
    }()

    @Test(
        .enabled(if: !samples.isEmpty, "the samples are not beside the repository"),
        arguments: samples
    )
    func `a sample converts to its known raw content`(sample: Sample) throws {
        let directory = try TemporaryDirectory()
        let packed = try #require(SharedFiles.path("samples/\(sample.compressed)"))
        let (image, raw) = (directory.file(sample.file), directory.file("out.raw"))
        try Tool.check(["bash", "-c", "xz -dc '\(packed)' > '\(image)'"])
        let result = try DrayBinary.run(["convert", "-O", "raw", image, raw])
        try #require(result.succeeded, "\(result.error)")
        let digest = try Tool.check(["sha256sum", raw])
        #expect(digest.hasPrefix(sample.rawDigest ?? "?"), "\(sample.file)")
    }
}
