// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Digest
import FoundationEssentials
import TestSupport
import Testing

/// The reference values of `blkhash.json`, and the content they are of.
struct Vectors: Decodable {
    struct Part: Decodable, Sendable {
        let offset: UInt64
        let length: Int
        let seed: String
    }

    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let size: UInt64
        let parts: [Part]
        let blkhash: [String: String]

        var testDescription: String { name }
    }

    let cases: [Case]

    /// All cases; none where the shared files are not there, which ``isAvailable`` tells.
    static let all: [Case] = {
        guard let path = SharedFiles.path("vectors/blkhash.json"),
            let data = try? Data(contentsOf: URL(filePath: path)),  // reported by isAvailable
            let vectors = try? JSONDecoder().decode(Vectors.self, from: data)
        else { return [] }
        return vectors.cases
    }()

    static var isAvailable: Bool { !all.isEmpty }
}

extension Vectors.Part {
    /// The first `length` bytes of `SHA256("dray-<seed>-0") || SHA256("dray-<seed>-1") || …`.
    func content() throws -> AlignedBuffer {
        let hasher = BlockHasher(try DigestAlgorithm(name: "sha256"))
        let buffer = AlignedBuffer(count: (length / 32 + 1) * 32)
        for counter in 0..<buffer.count / 32 {
            buffer.copy(hasher.hash(Array("dray-\(seed)-\(counter)".utf8)), to: counter * 32)
        }
        return buffer
    }
}
