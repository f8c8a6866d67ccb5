// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// A hostile image and how to make its bytes.
struct HostileCase: Sendable, CustomTestStringConvertible {
    /// What is wrong with it.
    let name: String
    /// Makes the bytes.
    let make: @Sendable () -> [UInt8]

    init(_ name: String, _ make: @escaping @Sendable () -> [UInt8]) {
        self.name = name
        self.make = make
    }

    var testDescription: String { name }

    private typealias Image = HostileImage
    static let escape = "\u{1B}[31mred\u{1B}[0m\r\nx\u{7}\u{202E}"

    /// What an image may name that is not for it.
    static let names = [
        "SECRET", "../vault/secret", "link", "way/secret", "/etc/passwd", "/dev/zero", "/dev/stdin",
        "/proc/self/mem", "pipe", ".", "/", "image", "nbd:127.0.0.1:10809", "json:{}",
        "file:/etc/passwd", "http://127.0.0.1/x", escape, "a\u{0}b", "-o",
        String(repeating: "x", count: 1023),
    ]

    /// The images that name something outside themselves.
    static let references: [HostileCase] = names.flatMap { name in
        [
            HostileCase("backing \(name.prefix(30).debugDescription)") {
                Image(size: 1 << 20, backing: name).bytes
            },
            HostileCase("data file \(name.prefix(30).debugDescription)") {
                let data = [(UInt32(0x4441_5441), Array(name.utf8))]
                var image = Image(size: 1 << 20, incompatible: 4, extensions: data)
                image.addTable([Image.copied])
                return image.bytes
            },
        ]
    }

    /// The images that claim much and hold little.
    static let bombs: [HostileCase] = [
        HostileCase("a disk of 2^62 bytes") {
            Image(size: 1 << 62, clusterBits: 21, l1Entries: 1 << 22).bytes
        },
        HostileCase("a disk of 2^64-1 bytes") { Image(size: .max).bytes },
        HostileCase("an L1 table of 2^32-1 entries") {
            var image = Image(size: 1 << 20)
            image.put(32, UInt64(UInt32.max))
            return image.bytes
        },
        HostileCase("260 000 header extensions") {
            var image = Image(size: 1 << 20, clusterBits: 21)
            for place in stride(from: 112, to: 2_080_000, by: 8) {
                image.put(place, 0x0102_0304_0000_0000)
            }
            return image.bytes
        },
        HostileCase("65 536 snapshots without names") {
            var image = Image(size: 1 << 20)
            let table = image.add([UInt8](repeating: 0, count: 65_536 * 40))
            image.put(56, 1 << 32 | 65_536)
            image.put(64, table)
            return image.bytes
        },
        HostileCase("one table for 512 MiB") {
            var image = Image(size: 1 << 29, clusterBits: 16, l1Entries: 1)
            let data = image.add([UInt8](repeating: 0x41, count: 65_536))
            image.addTable([UInt64](repeating: data | Image.copied, count: 512))
            return image.bytes
        },
        HostileCase("a zstd frame with a window of 2 GiB") {
            var image = Image(size: 1 << 20, incompatible: 8)
            image.put(104, 1 << 56)
            let frame = image.add([0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA8, 0x01, 0x00, 0x00])
            image.addTable([1 << 62 | frame])
            return image.bytes
        },
    ]

    /// Words for L1 and L2 entries that point at metadata, beyond the end, or at nothing that can be.
    private static let words: [UInt64] = [
        1, 2, 3, 0x4000_0000_0000_0000, 0xC000_0000_0000_0000, 0xFF00_0000_0000_0000,
        0x8000_0000_0000_1000, 0x8000_0000_0000_3000, 0x8000_0100_0000_0000,
        0x00FF_FFFF_FFFF_FE00, 0xFFFF_FFFF_FFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF,
        0x8000_0000_0000_0200, 0x7FC0_0000_0000_4000, 0x8000_0000_0000_4001, 0x4000,
    ]

    /// The images whose tables lie.
    static let entries: [HostileCase] = words.flatMap { word in
        [inL1(word), inL2(word), inExtendedL2(word)]
    }

    private static func inL1(_ word: UInt64) -> HostileCase {
        HostileCase("L1 entry " + String(word, radix: 16)) {
            var image = Image(size: 1 << 20)
            _ = image.add([UInt8](repeating: 0x45, count: 4096))
            image.put(image.l1, word)
            return image.bytes
        }
    }

    private static func inL2(_ word: UInt64) -> HostileCase {
        HostileCase("L2 entry " + String(word, radix: 16)) {
            var image = Image(size: 1 << 20)
            let data = image.add([UInt8](repeating: 0x45, count: 4096))
            image.addTable([word, data | Image.copied, word])
            return image.bytes
        }
    }

    private static func inExtendedL2(_ word: UInt64) -> HostileCase {
        HostileCase("extended L2 entry " + String(word, radix: 16)) {
            var image = Image(size: 1 << 20, clusterBits: 14, incompatible: 16)
            let data = image.add([UInt8](repeating: 0x45, count: 16_384)) | Image.copied
            image.addTable([data, 0xFFFF_0000_FFFF, word, .max, word, 0xFFFF_FFFF])
            return image.bytes
        }
    }
}
