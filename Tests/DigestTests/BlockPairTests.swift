// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Digest
import FoundationEssentials
import TestSupport
import Testing

@Suite struct BlockPairTests {
    @Test("SHA-256 comes in pairs exactly where the processor has instructions for it")
    func available() throws {
        let flags = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
            .split(whereSeparator: { $0 == " " || $0 == "\n" })
        for name in ["sha256", "SHA256", "SHA2-256"] {
            let hasher = BlockHasher(try DigestAlgorithm(name: name))
            #expect(hasher.hashesPairs == flags.contains("sha_ni"), "\(name)")
        }
        for name in ["sha224", "sha512", "sha512-256", "sha3-256", "sm3", "blake2s256"] {
            #expect(!BlockHasher(try DigestAlgorithm(name: name)).hashesPairs, "\(name)")
        }
    }

    @Test(
        "known digests come out of both halves",
        .enabled(if: Pairs.areThere, "no SHA instructions"),
        arguments: KnownDigest.table
    )
    func known(_ known: KnownDigest) throws {
        let message = known.message
        let expected = known.digest
        let hasher = BlockHasher(try DigestAlgorithm(name: "sha256"))
        let other = message.map { $0 ^ 1 }
        #expect(hasher.hash(message).hexadecimal == expected, "libcrypto")
        for (first, second) in [(message, message), (message, other), (other, message)] {
            let digests = try hashPair(hasher, first, second)
            #expect(digests.count == 64)
            #expect(digests.prefix(32).elementsEqual(hasher.hash(first)))
            #expect(digests.suffix(32).elementsEqual(hasher.hash(second)))
        }
        #expect(try hashPair(hasher, other, message).suffix(32).hexadecimal == expected)
    }

    @Test(
        "a pair's digests are libcrypto's, for any content, length and place",
        .enabled(if: Pairs.areThere, "no SHA instructions"),
        .timeLimit(.minutes(15)),
        arguments: SeededGenerator.seeds(8)
    )
    func equalsLibcrypto(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let hasher = BlockHasher(try DigestAlgorithm(name: "sha256"))
        let buffer = AlignedBuffer(count: 3 * UnitSize.block)
        for round in 0..<100 {
            let half = 64 * Int.random(in: 0...(round % 2 == 0 ? 4 : 1024), using: &generator)
            let start = Int.random(in: 0...(buffer.count - 2 * half), using: &generator)
            buffer.copy(Pairs.bytes(2 * half, &generator), to: start)
            var pair: [UInt8] = [7]
            hasher.hashPair(buffer, start..<start + 2 * half, into: &pair)
            var single: [UInt8] = [7]
            hasher.hash(buffer, start..<start + half, into: &single)
            hasher.hash(buffer, start + half..<start + 2 * half, into: &single)
            #expect(pair == single, "seed \(seed), round \(round), \(half) bytes at \(start)")
        }
        #expect(hasher.pairCount == 100)
    }

    @Test(
        "neighbours with data are hashed in pairs, and each block keeps its place",
        .timeLimit(.minutes(15)),
        arguments: SeededGenerator.seeds(8)
    )
    func pairsInRange(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let blocks = 16
        let buffer = AlignedBuffer(count: blocks * UnitSize.block)
        buffer.zero(0..<buffer.count)
        let hasData = (0..<blocks).map { _ in Int.random(in: 0..<4, using: &generator) > 0 }
        let algorithm = try DigestAlgorithm(name: "sha256")
        let single = BlockHasher(algorithm)
        var expected = RangeDigest(runs: [])
        for (block, data) in hasData.enumerated() {
            let start = block * UnitSize.block
            guard data else {
                expected.append(RangeDigest(runs: [.zeroBlocks(1)]))
                continue
            }
            // One byte is enough, and the last one is the hardest to see.
            buffer.copy([UInt8.random(in: 1...255, using: &generator)], to: start + 65535)
            var digest: [UInt8] = []
            single.hash(buffer, start..<start + UnitSize.block, into: &digest)
            expected.append(RangeDigest(runs: [.digests(digest)]))
        }
        let hasher = RangeHasher(algorithm)
        hasher.append(buffer, 0..<buffer.count)
        #expect(hasher.finish() == expected, "seed \(seed)")
        let runs = hasData.split(separator: false).map(\.count)
        let pairs = runs.reduce(0) { $0 + $1 / 2 }
        #expect(hasher.pairCount == (Pairs.areThere ? pairs : 0), "seed \(seed): \(hasData)")
    }

    private func hashPair(_ hasher: BlockHasher, _ first: [UInt8], _ second: [UInt8]) throws
        -> [UInt8]
    {
        let buffer = AlignedBuffer(count: max(1, first.count + second.count))
        buffer.copy(first + second, to: 0)
        var digests: [UInt8] = []
        hasher.hashPair(buffer, 0..<first.count + second.count, into: &digests)
        return digests
    }
}

/// What the tests of pairs share.
enum Pairs {
    /// Whether this machine hashes pairs.
    static let areThere =
        (try? DigestAlgorithm(name: "sha256"))  // its failure fails other tests
        .map { BlockHasher($0).hashesPairs } ?? false

    /// Random bytes.
    static func bytes(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }
}

/// A message and its SHA-256.
struct KnownDigest: Sendable, CustomTestStringConvertible {
    let message: [UInt8]
    let digest: String

    var testDescription: String { "\(message.count) bytes" }

    /// The empty message, the 64 byte one of NIST's short messages, 64 letters with hashlib's digest, and the million of
    /// letters of FIPS 180-2's examples.
    static let table = [
        KnownDigest(
            message: [],
            digest: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        ),
        KnownDigest(
            message: shortMessage,
            digest: "42e61e174fbb3897d6dd6cef3dd2802fe67b331953b06114a65c772859dfc1aa"
        ),
        KnownDigest(
            message: [UInt8](repeating: 0x61, count: 64),
            digest: "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"
        ),
        KnownDigest(
            message: [UInt8](repeating: 0x61, count: 1_000_000),
            digest: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    /// A message of NIST's SHA256ShortMsg.rsp (CAVS 11.0), Len = 512.
    private static let shortMessage: [UInt8] = [
        0x5a, 0x86, 0xb7, 0x37, 0xea, 0xea, 0x8e, 0xe9, 0x76, 0xa0, 0xa2, 0x4d, 0xa6, 0x3e, 0x7e,
        0xd7,
        0xee, 0xfa, 0xd1, 0x8a, 0x10, 0x1c, 0x12, 0x11, 0xe2, 0xb3, 0x65, 0x0c, 0x51, 0x87, 0xc2,
        0xa8,
        0xa6, 0x50, 0x54, 0x72, 0x08, 0x25, 0x1f, 0x6d, 0x42, 0x37, 0xe6, 0x61, 0xc7, 0xbf, 0x4c,
        0x77,
        0xf3, 0x35, 0x39, 0x03, 0x94, 0xc3, 0x7f, 0xa1, 0xa9, 0xf9, 0xbe, 0x83, 0x6a, 0xc2, 0x85,
        0x09,
    ]
}
