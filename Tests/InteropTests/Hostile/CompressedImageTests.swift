// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import TestSupport
internal import Testing

/// The built program against compressed clusters that lie, beside qemu-img: a cluster is read as a whole and right, or refused with an
/// error that names it.
@Suite struct CompressedImageTests {
    private func convert(_ image: String, _ target: String) throws -> Tool.Output {
        try DrayBinary.run(["convert", "--force", "-O", "raw", image, target], limitSeconds: 20)
    }

    @Test(.timeLimit(.minutes(15)))
    func `a compressed cluster is read as qemu-img reads it, or its error names it`() throws {
        let directory = try TemporaryDirectory()
        try CompressedImages.make(in: directory.path)
        let (ours, theirs) = (directory.file("ours"), directory.file("theirs"))
        for (name, end) in CompressedImages.all {
            let image = directory.file(name + ".qcow2")
            let result = try convert(image, ours)
            switch end {
            case .read:
                #expect(result.succeeded, "\(name): \(result.error)")
                try Tool.check(["qemu-img", "convert", "-O", "raw", image, theirs])
                #expect(try Tool.run(["cmp", ours, theirs]).succeeded, "\(name)")
            case .refused(let text):
                #expect(result.status == 3, "\(name): \(result)")
                #expect(result.error.contains(text), "\(name): \(result.error)")
                // The third cluster, or the first where all are wrong; and where its stream or its entry is.
                let places = ["guest offset 8192 ", "guest offset 0 "]
                #expect(places.contains { result.error.contains($0) }, "\(name): \(result.error)")
                #expect(result.error.contains("(at offset "), "\(name): \(result.error)")
                let sum = try DrayBinary.run(["checksum", image], limitSeconds: 20)
                #expect(sum.status == 3, "\(name): \(sum)")
            }
            let check = try DrayBinary.run(["check", image], limitSeconds: 20)
            let peer = try Tool.run(["qemu-img", "check", image])
            // Status 1 is no verdict: qemu-img gives up.
            #expect(
                peer.status == 1 ? !check.succeeded : check.status == peer.status,
                "\(name): \(check), \(peer)"
            )
        }
    }

    @Test(.timeLimit(.minutes(15)), arguments: ["zlib", "zstd"])
    func `random damage to streams and their entries is refused or read as qemu-img reads it`(
        type: String
    ) throws {
        var random = SeededGenerator(for: "damaged streams \(type)")
        let directory = try TemporaryDirectory()
        let (source, image) = (directory.file("source"), directory.file("image"))
        try Tool.check(["bash", "-c", "seq 1 60000 | head -c 300k > \(source)"])
        let options = "cluster_size=4k,compression_type=\(type)"
        try Tool.check([
            "qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, source, image,
        ])
        let original = try Array(Data(contentsOf: URL(filePath: image)))
        let (ours, theirs) = (directory.file("ours"), directory.file("theirs"))
        var refused = 0
        for _ in 0..<30 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                // Streams and tables lie behind the first four clusters.
                let place = Int.random(in: 16_384..<bytes.count, using: &random)
                bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            }
            if Int.random(in: 0..<6, using: &random) == 0 {
                bytes.removeLast(Int.random(in: 1..<5000, using: &random))
            }
            try Data(bytes).write(to: URL(filePath: image))
            let result = try convert(image, ours)
            #expect([0, 3, 4].contains(result.status), "\(result) DRAY_SEED=\(random.seed)")
            if !result.succeeded { refused += 1 }
            let peer = try Tool.run(["qemu-img", "convert", "-O", "raw", image, theirs])
            guard result.succeeded, peer.succeeded else { continue }
            let same = try Tool.run(["cmp", ours, theirs])
            #expect(same.succeeded, "\(same) DRAY_SEED=\(random.seed)")
        }
        #expect(refused > 0)
    }
}
