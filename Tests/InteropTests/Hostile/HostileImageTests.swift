// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import TestSupport
internal import Testing

/// The built program against images that mean harm: it ends soon, by an exit code of its own, says nothing that could steer a
/// terminal, opens nothing that was not allowed, and never gives other bytes than qemu-img does.
@Suite(.serialized) struct HostileImageTests {
    private static let secret = "the secret beside the image"
    private let tree: TemporaryDirectory

    init() throws {
        tree = try TemporaryDirectory()
        let script = """
            cd "$0" && mkdir home vault && echo '\(Self.secret)' > vault/secret && cd home \
                && ln -s ../vault/secret link && ln -s ../vault way && mkfifo pipe
            """
        try Tool.check(["bash", "-c", script, tree.path])
    }

    @Test(.timeLimit(.minutes(15)), arguments: HostileCase.references + HostileCase.vmdkReferences)
    func `nothing outside is opened because an image names it`(image: HostileCase) throws {
        let path = try write(image.make())
        try inspect(path)
        let target = tree.file("out")
        let result = try dray(["convert", "-O", "raw", path, target])
        #expect(!result.succeeded)
        #expect(!result.error.contains(Self.secret))
        #expect(tree.names == ["home", "vault"])
    }

    @Test(.timeLimit(.minutes(15)), arguments: HostileCase.bombs + HostileCase.vmdkBombs)
    func `a large claim costs little`(image: HostileCase) throws {
        try inspect(try write(image.make()))
    }

    @Test(.timeLimit(.minutes(15)), arguments: HostileCase.entries)
    func `a table that lies is refused or read as qemu-img reads it`(image: HostileCase) throws {
        let path = try write(image.make())
        try inspect(path)
        try expectSameAsQemu(path)
    }

    @Test(.timeLimit(.minutes(15)))
    func `random damage is refused or read as qemu-img reads it`() throws {
        var random = SeededGenerator(for: "random damage")
        var image = HostileImage(size: 1 << 18, clusterBits: 12)
        let first = image.add((0..<8192).map { UInt8(truncatingIfNeeded: $0 * 7 + 1) })
        image.addTable([first | HostileImage.copied, (first + 4096) | HostileImage.copied, 1, 0])
        let table = image.bytes.count - 4096
        let areas = [0..<112, 0..<112, image.l1..<image.l1 + 8, table..<table + 40]
        for _ in 0..<80 {
            var damaged = image.bytes
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let area = areas[Int.random(in: 0..<areas.count, using: &random)]
                let place = Int.random(in: area, using: &random)
                let bit = UInt8.random(in: 0...7, using: &random)
                let isFlipped = Bool.random(using: &random)
                damaged[place] = isFlipped ? damaged[place] ^ (1 << bit) : bit < 4 ? 0 : 255
            }
            if Int.random(in: 0..<8, using: &random) == 0 {
                damaged.removeLast(Int.random(in: 1..<damaged.count, using: &random))
            }
            let path = try write(damaged)
            let information = try dray(["info", "--output", "json", path])
            _ = try dray(["check", path])
            // A larger claim is not converted here: qemu-img would write it all.
            let field = damaged.count < 32 ? [] : damaged[24..<32]
            let size = field.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            if information.succeeded, size <= 1 << 26 { try expectSameAsQemu(path) }
        }
    }

    private func write(_ bytes: [UInt8]) throws -> String {
        let path = tree.file("home/image")
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    /// Runs the commands that read metadata alone.
    private func inspect(_ path: String) throws {
        for words in [["info"], ["map"], ["check"], ["info", "--backing-chain"]] {
            _ = try dray(words + [path])
            guard words != ["check"] else { continue }
            let json = try dray(words + ["--output", "json", path])
            if json.succeeded {
                _ = try JSONDecoder().decode(AnyJSON.self, from: Data(json.outputBytes))
            }
        }
    }

    /// Runs the program and expects an end that it planned.
    private func dray(_ words: [String]) throws -> Tool.Output {
        let result = try DrayBinary.run(words, processorSeconds: 20)
        #expect((0..<64).contains(result.status), "\(words): \(result.status) \(result.error)")
        #expect(result.succeeded || words.contains("check") || !result.error.isEmpty)
        for byte in result.outputBytes + result.errorBytes where byte < 0x20 || byte == 0x7F {
            #expect(byte == UInt8(ascii: "\n"), "\(words): a control character in the output")
        }
        #expect(!result.output.unicodeScalars.contains("\u{202E}"))
        #expect(!result.error.unicodeScalars.contains("\u{202E}"))
        return result
    }

    /// Converts, and compares with what qemu-img makes of it where both can.
    private func expectSameAsQemu(_ path: String) throws {
        let (ours, theirs) = (tree.file("ours"), tree.file("theirs"))
        let result = try dray(["convert", "--force", "-f", "qcow2", "-O", "raw", path, ours])
        guard result.succeeded else { return }
        let peer = try Tool.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", path, theirs])
        guard peer.succeeded else { return }
        // Disks that are no whole number of sectors are rounded by qemu-img, up or down: the shorter file counts.
        let same = try Tool.run(["bash", "-c", "cmp \"$0\" \"$1\" 2>&1", ours, theirs])
        #expect(same.succeeded || same.output.contains("EOF on"), "\(same.output)")
        let sizes = try (Workbench.size(ours).length, Workbench.size(theirs).length)
        #expect(max(sizes.0, sizes.1) - min(sizes.0, sizes.1) < 512)
    }
}

/// Any JSON at all: whether it can be decoded is the question.
private struct AnyJSON: Decodable {
    init(from decoder: any Decoder) throws {}
}
