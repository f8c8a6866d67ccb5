// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// Images in a rig's store, and what must hold for them afterwards.
extension FleetRig {
    /// Makes a raw image of `megabytes` with data in most of it: patterns that differ from MiB to MiB, and holes.
    func makeRaw(_ name: String, megabytes: Int, seed: UInt64 = 1) throws {
        var generator = SeededGenerator(seed: seed)
        var stretches: [ImageDescription.Stretch] = []
        for index in 0..<megabytes where index % 7 != 6 {
            let start = UInt64(index) << 20
            stretches.append(
                .init(start: start, length: 1 << 20, content: .data(seed: generator.next()))
            )
        }
        let disk = ImageDescription(size: UInt64(megabytes) << 20, stretches: stretches)
        try disk.writeRaw(to: store(name))
    }

    /// Makes a raw image of `megabytes` in which compressors find something to do: in turn a MiB of text, of noise, of each in pieces, and a hole.
    func makeMixed(_ name: String, megabytes: Int, seed: UInt64 = 1) throws {
        let script = """
            import random, sys
            random.seed(int(sys.argv[3]))
            lines = b"".join(b"line %d of some text\\n" % line for line in range(60000))
            with open(sys.argv[1], "wb") as file:
                for number in range(int(sys.argv[2])):
                    text = lines[number * 100:][:1 << 20]
                    noise = random.randbytes(1 << 20)
                    starts = range(0, 1 << 20, 4096)
                    pieces = b"".join(text[at:at + 3000] + noise[at:at + 1096] for at in starts)
                    kind = number % 4
                    if kind < 3: file.seek(number << 20), file.write([text, noise, pieces][kind])
                file.truncate(int(sys.argv[2]) << 20)
            """
        try Tool.check(["python3", "-c", script, store(name), "\(megabytes)", "\(seed)"])
    }

    /// Expects qemu-img to find the same content in two images of the store.
    func expectSame(
        _ one: String,
        _ other: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let result = try Tool.run(["qemu-img", "compare", store(one), store(other)])
        #expect(
            result.succeeded,
            "\(one) and \(other): \(result.output)\(result.error)\(logs)",
            sourceLocation: sourceLocation
        )
    }

    /// Expects qemu-img check to find neither errors nor leaks.
    func expectClean(_ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let result = try Tool.run(["qemu-img", "check", "-f", "qcow2", store(name)])
        #expect(
            result.succeeded,
            "\(name): \(result.output)\(result.error)",
            sourceLocation: sourceLocation
        )
    }

    /// The names in the store that are neither `names` nor empty: what a job left behind.
    func leftovers(besides names: Set<String>) throws -> [String] {
        try Tool.check(["ls", "-A", store("")]).split(separator: "\n").map(String.init)
            .filter { !names.contains($0) }
    }

    /// The checksum that the local command computes.
    func localChecksum(_ name: String) throws -> String {
        let line = try Tool.check([DrayBinary.path, "checksum", store(name)])
        return String(line.prefix { $0 != " " })
    }
}
