// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CDeflate

/// Tells igzip's streams from others that the same version makes on another machine.
enum IgzipMark {
    private static let length = 1 << 16

    /// The checksum of the stream of a content that never changes, in hexadecimal digits.
    static let text: String = {
        let (source, target) = (AlignedBuffer(count: length), AlignedBuffer(count: length))
        source.copy(content, to: 0)
        let encoder = IgzipEncoder(.none)
        guard let count = encoder.encode(source, 0..<length, into: target, 0..<length) else {
            preconditionFailure("what repeats itself is compressed")
        }
        let sum = unsafe target.withBytes(0..<count) {
            unsafe libdeflate_crc32(0, $0.baseAddress, count)
        }
        return String(sum, radix: 16)
    }()

    /// Letters, and repetitions of what came before at all distances, in a fixed mixture; first one of what begins at the third position, which
    /// version 2.30 does not find (``IgzipState``).
    private static var content: [UInt8] {
        var bytes = Array("12abcdefghijklm34abcdefghijklm".utf8)
        var random: UInt64 = 1
        while bytes.count < length {
            // Knuth's linear congruential generator (MMIX); its upper bits are the good ones.
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let distance = Int(random >> 49)
            if distance >= bytes.count || random >> 48 & 1 == 0 {
                bytes.append(UInt8(truncatingIfNeeded: 97 + random >> 60))
            } else {
                for _ in 0..<3 + Int(random >> 44 & 15) {
                    bytes.append(bytes[bytes.count - distance - 1])
                }
            }
        }
        return Array(bytes.prefix(length))
    }
}
