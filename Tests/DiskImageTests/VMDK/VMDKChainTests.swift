// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport
internal import Testing

/// Disks with parents and extents in other files, opened through the gate.
@Suite struct VMDKChainTests {
    private let workshop: QCOW2Workshop

    init() throws { workshop = try QCOW2Workshop() }

    /// Writes a disk with these grains, a descriptor that embeds or names its one extent, and its parent's id and name.
    private func write(
        _ name: String,
        _ grains: [VMDKCraft.Grain],
        form: VMDKCraft.Form = .hosted,
        salt: UInt8,
        cid: UInt32,
        parent: (cid: UInt32, hint: String)? = nil
    ) throws -> VMDKCraft {
        var craft = VMDKCraft(grains)
        craft.form = form
        craft.salt = salt
        if form == .hosted {
            craft.embed(parentCID: parent?.cid ?? VMDK.noParent, hint: parent?.hint, cid: cid)
            try workshop.write(name, craft.make())
            return craft
        }
        let (kind, type) =
            form == .cowd
            ? (VMDKExtentLine.Kind.vmfsSparse, "vmfsSparse") : (.seSparse, "seSparse")
        try workshop.write("\(name)-delta", craft.make())
        let line = VMDKExtentLine(
            .readWrite,
            sectors: UInt64(craft.sectors),
            kind,
            name: "\(name)-delta"
        )
        var text = VMDKDescriptor(cid: cid, createType: type, extents: [line])
        text.parentCID = parent?.cid ?? VMDK.noParent
        text.parentFileNameHint = parent?.hint
        try workshop.write(name, Array(text.text().utf8))
        return craft
    }

    private func open(_ name: String, format: ImageFormat? = nil) throws(DrayError) -> Image {
        try ImageOpener(gate: DirectoryGate()).open(path: workshop.path(name), format: format)
    }

    /// The content of the chain as its map tells it.
    private func content(_ name: String) throws -> [UInt8] {
        let image = try open(name)
        let buffer = AlignedBuffer(count: Int(image.guestSize))
        buffer.zero(0..<buffer.count)
        var position: UInt64 = 0
        while position < image.guestSize {
            let run = try image.map(GuestOffset(position), limit: .max)
            let bytes = Int(position)..<Int(run.range.end.bytes)
            if case .data(let storage, let host) = run.place {
                try storage.read(host, into: buffer, bytes)
            }
            position = run.range.end.bytes
        }
        return buffer.bytes(0..<buffer.count)
    }

    @Test(arguments: [VMDKCraft.Form.hosted, .cowd, .spaceEfficient])
    func `a chain of three reads right, and as qemu-img reads it`(form: VMDKCraft.Form) throws {
        var random = SeededGenerator(for: "chain of three")
        var below: [UInt8] = []
        for level in UInt32(1)...3 {
            let grains = VMDKReadingTests.grains(50, zeros: form != .cowd, &random)
            let craft = try write(
                "layer\(level)",
                grains,
                form: level == 1 ? .hosted : form,
                salt: UInt8(level),
                cid: level * 16,
                parent: level > 1 ? ((level - 1) * 16, "layer\(level - 1)") : nil
            )
            below = craft.content(below: below)
        }
        #expect(try content("layer3") == below)
        try workshop.shell("qemu-img convert -f vmdk -O raw layer3 raw")
        #expect(try workshop.bytes("raw") == below)
    }

    @Test func `a parent that was changed is an error only where it is needed`() throws {
        _ = try write("base", [.data, .data], salt: 1, cid: 5)
        _ = try write("part", [.hole, .data], salt: 2, cid: 6, parent: (4, "base"))
        _ = try write("full", [.data, .zero], salt: 3, cid: 7, parent: (4, "base"))
        _ = try write("longer", [.data, .data, .hole], salt: 4, cid: 8, parent: (4, "base"))
        let error = #expect(throws: DrayError.self) { try content("part") }
        #expect(error?.kind == .corrupt)
        #expect(error?.message.contains("00000005") == true)
        #expect(error?.message.contains("00000004") == true)
        #expect(error?.file == workshop.path("part"))
        _ = try content("full")
        // Beyond its end nothing of the parent is needed.
        _ = try content("longer")
    }

    @Test func `a parent of another format is refused`() throws {
        try workshop.shell("truncate -s 8192 base; qemu-img create -q -f qcow2 other 8192")
        for hint in ["base", "other"] {
            _ = try write("disk", [.hole, .data], salt: 1, cid: 5, parent: (4, hint))
            let error = #expect(throws: DrayError.self) { try open("disk") }
            #expect(error?.kind == .corrupt, "\(error?.description ?? "")")
            try workshop.shell("rm disk")
        }
    }

    @Test(arguments: [["disk"], ["other", "disk"], ["a", "b", "disk"]])
    func `a loop of parents is refused`(hints: [String]) throws {
        var name = "disk"
        for hint in hints {
            _ = try write(name, [.hole], salt: 1, cid: 5, parent: (5, hint))
            name = hint
        }
        let error = #expect(throws: DrayError.self) { try open("disk") }
        #expect(error?.kind == .corrupt && error?.message.contains("loops") == true)
    }

    static let outside: [(name: String, kind: DrayError.Kind)] = [
        ("../../etc/passwd", .refused), ("/etc/passwd", .refused), ("/dev/zero", .refused),
        ("/dev/null", .refused), ("link", .refused), ("pipe", .refused), (".", .refused),
        ("nbd:localhost", .refused), ("file:///etc/passwd", .refused), ("json:{}", .refused),
        ("missing", .resource), ("disk", .corrupt), ("sub/../disk", .corrupt),
    ]

    @Test(.timeLimit(.minutes(15)), arguments: outside)
    func `an extent that lies elsewhere is refused`(name: String, kind: DrayError.Kind) throws {
        try workshop.shell("mkdir sub; ln -s /etc/passwd link; mkfifo pipe")
        for line in ["FLAT \"\(name)\" 0", "VMFS \"\(name)\"", "SPARSE \"\(name)\""] {
            let text = "version=1\nCID=1\ncreateType=\"custom\"\nRW 1 \(line)\n"
            try workshop.write("disk", Array(text.utf8))
            let error = #expect(throws: DrayError.self) { try open("disk") }
            #expect(error?.kind == kind, "\(line): \(error?.description ?? "")")
        }
        let parent = "parentCID=1\nparentFileNameHint=\"\(name)\"\nRW 1 ZERO\n"
        let text = "version=1\nCID=1\ncreateType=\"custom\"\n\(parent)"
        try workshop.write("disk", Array(text.utf8))
        #expect(throws: DrayError.self) { try open("disk") }
    }

    @Test func `an extent that is shorter than its line is refused`() throws {
        try workshop.shell("truncate -s 10239 short")
        for line in ["RW 20 FLAT \"short\" 0", "RW 19 FLAT \"short\" 1", "RW 20 VMFS \"short\""] {
            let text = "version=1\nCID=1\ncreateType=\"custom\"\n\(line)\n"
            try workshop.write("disk", Array(text.utf8))
            let error = #expect(throws: DrayError.self) { try open("disk") }
            #expect(error?.kind == .corrupt && error?.file == workshop.path("short"))
        }
    }

    @Test func `a file of many extents is opened once`() throws {
        try workshop.shell("head -c 524288 /dev/urandom > flat")
        var text = "version=1\nCID=1\ncreateType=\"custom\"\n"
        for number in 0..<1024 { text += "RW 1 FLAT \"flat\" \(1023 - number)\n" }
        try workshop.write("disk", Array(text.utf8))
        let image = try open("disk")
        #expect(image.storages.count == 2)
        let bytes = try workshop.bytes("flat")
        let reversed = (0..<1024).reversed().flatMap { bytes[$0 * 512..<$0 * 512 + 512] }
        #expect(try content("disk") == reversed)
    }

    @Test(.timeLimit(.minutes(15))) func `ten thousand extents are refused at once`() throws {
        var text = "version=1\nCID=1\ncreateType=\"custom\"\n"
        for number in 0..<10_000 { text += "RW 1 FLAT \"flat\" \(number)\n" }
        try workshop.write("disk", Array(text.utf8))
        let error = #expect(throws: DrayError.self) { try open("disk") }
        #expect(error?.kind == .unsupported)
        #expect(error?.message.contains("line 1028 ") == true, "\(error?.description ?? "")")
    }

    @Test func `what is no disk by itself is refused as such`() throws {
        var craft = VMDKCraft([.data])
        for form in [VMDKCraft.Form.hosted, .cowd] {
            craft.form = form
            try workshop.write("extent", craft.make())
            let error = #expect(throws: DrayError.self) { try open("extent") }
            #expect(error?.kind == .unsupported)
            #expect(error?.message.contains("without its descriptor") == true)
        }
        try workshop.write("text", Array("hello".utf8))
        let error = #expect(throws: DrayError.self) { try open("text", format: .vmdk) }
        #expect(error?.kind == .corrupt)
        let snapshot = #expect(throws: DrayError.self) {
            try ImageOpener(gate: DirectoryGate()).open(
                path: workshop.path("extent"),
                format: .vmdk,
                snapshot: .idOrName("1")
            )
        }
        #expect(snapshot?.kind == .unsupported)
    }

    @Test func `a descriptor without extents is refused`() throws {
        try workshop.write("disk", Array("version=1\nCID=1\ncreateType=\"vmfs\"\n".utf8))
        let error = #expect(throws: DrayError.self) { try open("disk") }
        #expect(error?.message.contains("no extents") == true)
    }
}
