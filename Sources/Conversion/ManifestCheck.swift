// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Digest
internal import DiskImage
internal import Storage

/// Compares what an archive's manifest says with the bytes of the disk that is read, and of the envelope that named it.
struct ManifestCheck {
    private let image: Image
    private let chunks: BufferPool
    private let pulse: Pulse

    /// A check of `image`, which passes at once where it is in no archive or the archive has no manifest.
    init(_ image: Image, chunks: BufferPool, pulse: Pulse) {
        self.image = image
        self.chunks = chunks
        self.pulse = pulse
    }

    /// Reads every byte that the manifest speaks of, in order. Fails with `corrupt`, naming the member and both digests.
    func run() throws(DrayError) {
        for member in image.archived?.digests ?? [] {
            let found = try digest(of: member)
            guard found != member.digest else { continue }
            throw DrayError(
                .corrupt,
                "the \(member.algorithm) is \(found), the archive's manifest says \(member.digest)",
                file: member.storage.name
            )
        }
    }

    private func digest(of member: MemberDigest) throws(DrayError) -> String {
        let hasher = MessageHasher(try DigestAlgorithm(name: member.algorithm))
        return try chunks.withBuffer { buffer throws(DrayError) in
            var position: UInt64 = 0
            while position < member.storage.length {
                try pulse.beat()
                let rest = member.storage.length - position
                let count = Int(min(rest, UInt64(buffer.count)))
                try member.storage.read(HostOffset(position), into: buffer, 0..<count)
                hasher.add(buffer, 0..<count)
                position += UInt64(count)
            }
            return hasher.finish()
        }
    }
}
