// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Digest
import Glibc
import TestSupport
import Testing

@Suite struct BlkhashTests {
    @Test(
        "blkhash equals the reference, with gaps given as zeros",
        .enabled(if: Vectors.isAvailable, "no shared/vectors beside the repository"),
        .timeLimit(.minutes(15)),
        arguments: Vectors.all
    )
    func gapsAsZeros(vector: Vectors.Case) throws {
        for (name, expected) in vector.blkhash {
            let algorithm = try DigestAlgorithm(name: name)
            let hasher = RangeHasher(algorithm)
            var position: UInt64 = 0
            for part in vector.parts {
                hasher.appendZeros(part.offset - position)
                hasher.append(try part.content(), 0..<part.length)
                position = part.offset + UInt64(part.length)
            }
            hasher.appendZeros(vector.size - position)
            #expect(try fold([hasher.finish()], algorithm, vector.size) == expected, "\(name)")
        }
    }

    @Test(
        "blkhash equals the reference, however the bytes are cut",
        .enabled(if: Vectors.isAvailable, "no shared/vectors beside the repository"),
        .timeLimit(.minutes(15)),
        arguments: Vectors.all.filter { $0.size < 64 << 20 },
        SeededGenerator.seeds(5)
    )
    func anyCut(vector: Vectors.Case, seed: UInt64) throws {
        let content = AlignedBuffer(count: max(1, Int(vector.size)))
        content.zero(0..<content.count)
        for part in vector.parts {
            content.copy(try part.content(), 0..<part.length, to: Int(part.offset))
        }
        var generator = SeededGenerator(seed: seed)
        for (name, expected) in vector.blkhash {
            let algorithm = try DigestAlgorithm(name: name)
            let ranges = hashInRanges(content, Int(vector.size), algorithm, &generator)
            for (length, range) in ranges {
                try range.validate(length: UInt64(length), digestSize: algorithm.size)
            }
            let folded = try fold(ranges.map(\.1), algorithm, vector.size)
            #expect(folded == expected, "\(name), seed \(seed)")
            var joined = RangeDigest(runs: [])
            for (_, range) in ranges { joined.append(range) }
            #expect(try fold([joined], algorithm, vector.size) == expected)
            #expect(joined == wholeRange(content, Int(vector.size), algorithm))
        }
    }

    /// How much processor time this thread has taken.
    private static func processorSeconds() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec
    }

    @Test("a tebibyte of zeros is counted, not hashed", .timeLimit(.minutes(15)))
    func tebibyteOfZeros() throws {
        let algorithm = try DigestAlgorithm(name: "sha256")
        let hasher = RangeHasher(algorithm)
        let before = Self.processorSeconds()
        hasher.appendZeros((1 << 40) + 5)
        let range = hasher.finish()
        let last = BlockHasher(algorithm).hash([0, 0, 0, 0, 0])
        #expect(range.runs == [.zeroBlocks(1 << 24), .digests(last)])
        let digest = try fold([range], algorithm, (1 << 40) + 5)
        // Computed with Python's hashlib.
        #expect(digest == "812368872d666cf52d771d7756bd2122cc77b07a0bc0f29b83da696a13c9c3a6")
        // Of this thread's processor time: hashing them takes ten minutes.
        #expect(Self.processorSeconds() - before < 60)
    }

    @Test("a disk whose blocks are not all there has no digest")
    func missingBlocks() throws {
        let algorithm = try DigestAlgorithm(name: "sha256")
        for (blocks, size) in [(UInt64(0), UInt64(1)), (1, 65537), (2, 65536), (1, 0)] {
            let range = RangeDigest(runs: [.zeroBlocks(blocks)])
            let error = #expect(throws: DrayError.self) {
                try fold([range], algorithm, size)
            }
            #expect(error?.kind == .bug)
        }
    }

    private func fold(_ ranges: [RangeDigest], _ algorithm: DigestAlgorithm, _ size: UInt64)
        throws -> String
    {
        let folder = DigestFolder(algorithm)
        for range in ranges { folder.append(range) }
        return try folder.finish(size: size)
    }

    private func wholeRange(_ content: AlignedBuffer, _ size: Int, _ algorithm: DigestAlgorithm)
        -> RangeDigest
    {
        let hasher = RangeHasher(algorithm)
        hasher.append(content, 0..<size)
        return hasher.finish()
    }

    /// Cuts the content in ranges of whole blocks, and each of these in pieces of any length; zeros are sometimes
    /// said to be zeros, sometimes given as bytes.
    private func hashInRanges(
        _ content: AlignedBuffer,
        _ size: Int,
        _ algorithm: DigestAlgorithm,
        _ generator: inout SeededGenerator
    ) -> [(Int, RangeDigest)] {
        let hasher = RangeHasher(algorithm)
        var results: [(Int, RangeDigest)] = []
        var start = 0
        while start < size {
            let blocks = Int.random(in: 1...40, using: &generator)
            let end = min(size, start + blocks * UnitSize.block)
            var position = start
            while position < end {
                let longest = Bool.random(using: &generator) ? 300_000 : 5000
                let next = min(end, position + Int.random(in: 1...longest, using: &generator))
                if content.isZero(position..<next) && Bool.random(using: &generator) {
                    hasher.appendZeros(UInt64(next - position))
                } else {
                    hasher.append(content, position..<next)
                }
                position = next
            }
            results.append((end - start, hasher.finish()))
            start = end
        }
        return results
    }
}
