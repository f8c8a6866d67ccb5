// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import TestSupport
internal import Testing

/// Random damage to metadata: an error, or what qemu-img reads.
@Suite struct VMDKFuzzTests {
    @Test(.timeLimit(.minutes(15)), arguments: SeededGenerator.seeds(30))
    func `random damage never traps or hangs`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let forms = try Self.victims()
        for _ in 0..<60 {
            var (files, places) = forms[Int.random(in: 0..<forms.count, using: &random)]
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                Self.scratch(&files, places, &random)
            }
            let image = try #require(files["image"])
            guard let driver = try? VMDKCraft.open(image, files) else { continue }
            _ = try? driver.information()
            _ = try? driver.check()
            // Larger disks are mapped only in part: content this large is not what is tested.
            guard driver.guestSize < 1 << 24 else {
                _ = try? driver.map(GuestOffset(driver.guestSize / 2), limit: 1 << 20)
                continue
            }
            _ = try? QCOW2Workshop.content(of: driver)
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `damage is refused or read as qemu-img reads it`() throws {
        var random = SeededGenerator(for: "damage of VMDK beside qemu-img")
        let victims = try Self.victims()
        let workshop = try QCOW2Workshop()
        var compared = 0
        for number in 0..<120 {
            // Redundant tables are read only here.
            let victim = victims[[0, 2, 3, 4][number % 4]]
            var files = victim.files
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                Self.scratch(&files, victim.places, &random)
            }
            guard let image = files["image"], let ours = try? VMDKCraft.readAll(image, files) else {
                continue
            }
            for (name, bytes) in files where !bytes.isEmpty { try workshop.write(name, bytes) }
            let command = "rm -f raw; qemu-img convert -f vmdk -O raw image raw 2> /dev/null"
            try workshop.shell(command + " || rm -f raw; touch raw")
            let theirs = try workshop.bytes("raw")
            guard !theirs.isEmpty else { continue }
            compared += 1
            #expect(theirs == ours, "change \(number)")
        }
        #expect(compared > 0)
    }

    private typealias Victim = (files: [String: [UInt8]], places: [(String, Range<Int>)])

    /// Disks of each form, with the places of their metadata.
    private static func victims() throws -> [Victim] {
        var all: [Victim] = []
        for (redundant, stream) in [(false, false), (true, false), (false, true)] {
            var craft = VMDKMalformedTests.craft(redundant: redundant, stream: stream)
            let bytes = try craft.make()
            var places = [("image", 0..<80), ("image", 512..<1024)]
            places.append(("image", craft.map.directory..<craft.map.directory + 12))
            for table in craft.map.tables { places.append(("image", table..<table + 64)) }
            for grain in craft.map.grains.prefix(5) { places.append(("image", grain..<grain + 32)) }
            places.append(("image", bytes.count - 1536..<bytes.count))
            all.append((["image": bytes], places))
        }
        for (form, kind, type) in [
            (VMDKCraft.Form.cowd, VMDKExtentLine.Kind.vmfsSparse, "vmfsSparse"),
            (.spaceEfficient, .seSparse, "seSparse"),
        ] {
            var craft = VMDKMalformedTests.craft()
            craft.descriptor = nil
            craft.form = form
            let files = try VMDKReadingTests.disk(&craft, kind, type)
            let (directory, table) = (craft.map.directory, craft.map.tables[0])
            all.append(
                (
                    files,
                    [
                        ("image", 0..<200), ("extent", 0..<200), ("extent", 0..<600),
                        ("extent", directory..<directory + 8), ("extent", table..<table + 400),
                    ]
                )
            )
        }
        return all
    }

    private static func scratch(
        _ files: inout [String: [UInt8]],
        _ places: [(String, Range<Int>)],
        _ random: inout SeededGenerator
    ) {
        let (name, range) = places[Int.random(in: 0..<places.count, using: &random)]
        let place = Int.random(in: range, using: &random)
        guard var bytes = files[name], place < bytes.count else { return }
        switch Int.random(in: 0..<9, using: &random) {
        case 0..<5: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 5...7: bytes[place] = [0, 255, 128, 1][Int.random(in: 0..<4, using: &random)]
        default: bytes.removeLast(Int.random(in: 0..<min(5000, bytes.count), using: &random))
        }
        files[name] = bytes
    }
}
