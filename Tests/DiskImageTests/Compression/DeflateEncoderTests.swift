// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import DiskImage
import TestSupport
import Testing

/// Streams depend on the content alone.
@Suite struct DeflateEncoderTests {
    private static let length = 512

    /// igzip's own streams depend on where its state lies in memory, once in some ten thousand contents that begin differently.
    @Test func `encoders that lie elsewhere make the same streams`() {
        var generator = SeededGenerator(seed: 7)
        let source = AlignedBuffer(count: Self.length)
        let targets = (0..<3).map { _ in AlignedBuffer(count: Self.length) }
        let encoders = targets.map { _ in DeflateEncoder(.fast, .qcow2, .none) }
        var differences = 0
        for _ in 0..<40_000 {
            source.copy(Self.content(&generator), to: 0)
            let streams = zip(encoders, targets).map { encoder, target in
                encoder.encode(source, 0..<Self.length, into: target, 0..<Self.length)
                    .map { target.bytes(0..<$0) }
            }
            if Set(streams).count > 1 { differences += 1 }
        }
        #expect(differences == 0)
    }

    /// Few letters; what begins at the first four positions comes again.
    private static func content(_ generator: inout SeededGenerator) -> [UInt8] {
        let letters = generator.next()
        var bytes = (0..<length).map { UInt8(97 + letters >> (UInt64($0) * 7 % 61) & 7) }
        for position in 0..<4 { bytes[position..<position + 4] = word(&generator)[...] }
        for position in 0..<4 {
            let copy = 100 * (position + 1)
            bytes[copy..<copy + 12] = bytes[position..<position + 12]
        }
        return bytes
    }

    private static func word(_ generator: inout SeededGenerator) -> [UInt8] {
        let value = generator.next()
        return (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    @Test(arguments: [CompressionEffort.fast, .balanced, .small, .level(1)])
    func `what was encoded before makes no difference after begin`(effort: CompressionEffort) {
        var generator = SeededGenerator(seed: 8)
        let (source, target) = (
            AlignedBuffer(count: Self.length), AlignedBuffer(count: Self.length)
        )
        let contents = (0..<200).map { _ in Self.content(&generator) }
        let used = DeflateEncoder(effort, .qcow2, .zlib)
        for content in contents {
            source.copy(content, to: 0)
            let fresh = DeflateEncoder(effort, .qcow2, .zlib)
            used.begin()
            let streams = [used, fresh].map {
                $0.encode(source, 0..<Self.length, into: target, 0..<Self.length).map {
                    target.bytes(0..<$0)
                }
            }
            #expect(streams[0] == streams[1])
        }
    }
}
