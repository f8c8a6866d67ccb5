// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import TestSupport
internal import Testing

/// `dray checksum` against reference values that blksum computed.
@Suite struct ChecksumTests {
    /// A case of blkhash.json.
    struct Case: Decodable, Sendable {
        struct Part: Decodable, Sendable {
            let offset: UInt64
            let length: UInt64
            let seed: String
        }

        let name: String
        let size: UInt64
        let parts: [Part]
        let blkhash: [String: String]
    }

    private struct Vectors: Decodable {
        let cases: [Case]
    }

    static let cases: [Case] = {
        guard let path = SharedFiles.path("vectors/blkhash.json"),
            let data = try? Data(contentsOf: URL(filePath: path)),
            let vectors = try? JSONDecoder().decode(Vectors.self, from: data)
        else { return [] }
        return vectors.cases
    }()

    /// Writes the case's content: python's hashlib stands for the generator that the reference describes.
    private func write(_ vector: Case, to path: String) throws {
        var script = "import hashlib\nf = open('\(path)', 'wb')\nf.truncate(\(vector.size))\n"
        for part in vector.parts {
            script += """
                out = b''; n = 0
                while len(out) < \(part.length):
                    out += hashlib.sha256(b'dray-\(part.seed)-%d' % n).digest(); n += 1
                f.seek(\(part.offset)); f.write(out[:\(part.length)])

                """
        }
        try Tool.check(["python3", "-c", script])
    }

    @Test(
        .enabled(if: !cases.isEmpty, "the reference values are not beside the repository"),
        arguments: cases
    )
    func `a raw file and a qcow2 of it have the reference's digest`(vector: Case) throws {
        let directory = try TemporaryDirectory()
        let raw = directory.file("content.raw")
        try write(vector, to: raw)
        var images = [("raw", raw)]
        if vector.size % 512 == 0 {
            let image = directory.file("content.qcow2")
            try Tool.check(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, image])
            images.append(("qcow2", image))
        }
        for (digest, expected) in vector.blkhash {
            for (format, path) in images {
                let result = try DrayBinary.run(["checksum", "-f", format, "-d", digest, path])
                #expect(result.output == "\(expected)  \(path)\n", "\(vector.name) \(result.error)")
            }
        }
    }

    @Test func `an unknown digest is named`() throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let result = try DrayBinary.run(["checksum", "-d", "crc7", bench.raw])
        #expect(result.status == 2 && result.error.contains("crc7"), "\(result.error)")
    }

    @Test func `one bad image of several is reported and the others are hashed`() throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let result = try DrayBinary.run([
            "checksum", "-f", "raw", bench.raw, bench.file("missing"), bench.raw,
        ])
        #expect(result.status == 1 && result.error.contains("missing"), "\(result.error)")
        #expect(result.output.split(separator: "\n").count == 2)
    }
}
