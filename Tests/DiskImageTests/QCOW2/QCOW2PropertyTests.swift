// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import TestSupport
internal import Testing

/// Random disks, made images by qemu, read as what they were made of.
@Suite struct QCOW2PropertyTests {
    static let options = [
        "-o cluster_size=512", "-o compat=0.10", "-c", "-c -o compression_type=zstd",
        "-c -o cluster_size=2M", "-o extended_l2=on", "-c -o extended_l2=on",
        "-o preallocation=full", "-S 0 -o cluster_size=4k",
    ]

    @Test(arguments: SeededGenerator.seeds(6))
    func `a random disk reads as it was described`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let disk = ImageDescription.random(using: &random, largestSize: 3 << 20)
        let workshop = try QCOW2Workshop()
        try disk.writeRaw(to: workshop.path("raw"))
        let expected = disk.bytes
        for options in Self.options {
            try workshop.shell("qemu-img convert -f raw -O qcow2 \(options) raw image")
            let step = UInt64.random(in: 1...200_000, using: &random)
            for step in [UInt64.max, step] {
                let content = try QCOW2Workshop.content(of: workshop.open("image"), step: step)
                #expect(content == expected, "seed \(seed), \(options), steps of \(step): \(disk)")
            }
        }
    }

    @Test(arguments: SeededGenerator.seeds(4))
    func `whatever was written in whatever order reads back`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let workshop = try QCOW2Workshop()
        let size = 4_194_304 + 512 * Int(random.next() % 100)
        try workshop.shell("head -c 3000000 /dev/urandom > base")
        for options in ["extended_l2=on", "cluster_size=4k", "cluster_size=2M"] {
            try workshop.shell(
                "qemu-img create -q -f qcow2 -b base -F raw -o \(options) image \(size)"
            )
            for _ in 0..<6 {
                let commands = (0..<8).map { _ in "-c '\(command(size, &random))'" }
                try workshop.shell("qemu-io \(commands.joined(separator: " ")) image")
                try workshop.shell("qemu-img convert -O raw image raw")
                let content = try QCOW2Workshop.content(
                    of: workshop.open("image"),
                    below: workshop.bytes("base")
                )
                #expect(content == (try workshop.bytes("raw")), "seed \(seed), \(options)")
                try QCOW2CheckTests.compare(workshop, "image", "seed \(seed), \(options)")
            }
        }
    }

    private func command(_ size: Int, _ random: inout SeededGenerator) -> String {
        let units = UInt64(size / 512)
        let start = random.next() % units
        let count = min(units - start, 1 + random.next() % [3, 300, 2000][Int(random.next() % 3)])
        let verbs = ["write -P \(random.next() % 256)", "write -z", "write -z -u", "discard"]
        return "\(verbs[Int(random.next() % 4)]) \(start * 512) \(count * 512)"
    }
}
