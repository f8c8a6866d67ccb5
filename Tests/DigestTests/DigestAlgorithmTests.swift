// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Digest
import FoundationEssentials
import TestSupport
import Testing

@Suite struct DigestAlgorithmTests {
    @Test(
        "a digest equals openssl's",
        .enabled(if: Tool.isInstalled("openssl"), "no openssl"),
        arguments: ["sha256", "sha512", "sha1", "sha3-256", "blake2b512", "blake2s256"]
    )
    func equalsOpenSSL(name: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("content")
        let disk = ImageDescription(
            size: 100_000,
            stretches: [.init(start: 5, length: 70_000, content: .data(seed: 7))]
        )
        try disk.writeRaw(to: path)
        let expected = try Tool.check(["openssl", "dgst", "-\(name)", "-r", path]).prefix {
            $0 != " "
        }
        let hasher = BlockHasher(try DigestAlgorithm(name: name))
        #expect(hasher.hash(disk.bytes).hexadecimal == expected)
        #expect(hasher.hash(disk.bytes).hexadecimal == expected, "also the second time")
    }

    @Test(
        "an unknown digest is refused, and some that exist are named",
        arguments: ["", "sha255", "SHA256 ", "sha256\u{0}", String(repeating: "a", count: 10_000)]
    )
    func unknownName(name: String) {
        let error = #expect(throws: DrayError.self) { try DigestAlgorithm(name: name) }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains("blake2b512") == true)
    }

    @Test(
        "a range's digest that does not fit the range is refused",
        arguments: Unfit.table
    )
    func unfitRange(_ unfit: Unfit) {
        let error = #expect(throws: DrayError.self) {
            try RangeDigest(runs: unfit.runs).validate(length: unfit.length, digestSize: 32)
        }
        #expect(error?.kind == .invalid)
    }

    @Test("a range's digest survives the way through JSON")
    func throughJSON() throws {
        let digests = (0..<64).map { UInt8($0 * 3) }
        let range = RangeDigest(runs: [.zeroBlocks(7), .digests(digests), .zeroBlocks(1 << 40)])
        let text = try JSONEncoder().encode(range)
        #expect(try JSONDecoder().decode(RangeDigest.self, from: text) == range)
    }
}

/// Runs, and the length of a range that they cannot be the digests of.
struct Unfit: Sendable {
    let runs: [RangeDigest.Run]
    let length: UInt64

    init(_ length: UInt64, _ runs: RangeDigest.Run...) {
        self.runs = runs
        self.length = length
    }

    static let table = [
        Unfit(65537, .zeroBlocks(1)),
        Unfit(65536, .zeroBlocks(2)),
        Unfit(65537, .zeroBlocks(2)),
        Unfit(65536, .zeroBlocks(1), .digests([])),
        Unfit(65536, .zeroBlocks(0), .zeroBlocks(1)),
        Unfit(65536, .zeroBlocks(.max), .zeroBlocks(2)),
        Unfit(65536, .digests([UInt8](repeating: 1, count: 31))),
        Unfit(65536, .digests([UInt8](repeating: 1, count: 33))),
        Unfit(65536, .digests([UInt8](repeating: 1, count: 64))),
        Unfit(1),
    ]
}
