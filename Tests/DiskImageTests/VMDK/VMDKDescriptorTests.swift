// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Testing

/// Descriptors: what is understood, what is refused, and that what is written is read again.
@Suite struct VMDKDescriptorTests {
    static let head = "# Disk DescriptorFile\nversion=1\nCID=1234abcd\nparentCID=ffffffff\n"

    private static func parse(_ text: String) throws(DrayError) -> VMDKDescriptor {
        try VMDKDescriptor([UInt8](text.utf8), file: "disk.vmdk", base: 512)
    }

    @Test func `what is written is read again`() throws {
        var descriptor = VMDKDescriptor(
            cid: 0xAB,
            createType: "custom",
            extents: [
                VMDKExtentLine(
                    .readWrite,
                    sectors: 100,
                    .flat,
                    name: "a b.vmdk",
                    offset: 7,
                    line: 11
                ),
                VMDKExtentLine(.readOnly, sectors: 4_192_256, .sparse, name: "c.vmdk", line: 12),
                VMDKExtentLine(.readWrite, sectors: 1, .zero, name: "", line: 13),
            ]
        )
        descriptor.encoding = "UTF-8"
        descriptor.parentCID = 0xFFFF_FFFE
        descriptor.parentFileNameHint = "../base ü.vmdk"
        descriptor.changeTrackPath = "disk-ctk.vmdk"
        descriptor.saysNoNativeSnapshot = true
        descriptor.database = [
            .init("ddb.adapterType", "lsilogic"), .init("ddb.uuid", "60 00 C2 9a"),
        ]
        let read = try Self.parse(try descriptor.text())
        var numbered = descriptor
        for index in numbered.extents.indices {
            numbered.extents[index].line = read.extents[index].line
        }
        #expect(read == numbered)
        #expect(read.sectors == 4_192_357)
        #expect(read.databaseValue("ddb.adapterType") == "lsilogic")
    }

    @Test func `blanks, carriage returns, comments and padding do not matter`() throws {
        let text =
            "\r\n# x = \"y\nversion = 1\r\nCID =0\r\n\tcreateType= \"vmfs\" \r\n"
            + "  RW\t8  VMFS \"a.vmdk\"  \r\nddb.x = \"\"\r\n\0\0garbage"
        let descriptor = try Self.parse(text)
        #expect(descriptor.extents.map(\.name) == ["a.vmdk"])
        #expect(descriptor.parentCID == VMDK.noParent)
    }

    @Test func `upper and lower case do not matter in keys`() throws {
        let text =
            "VERSION=1\ncid=7\nPARENTCID=FFFFFFFF\ncreatetype=\"vmfs\"\n"
            + "RW 8 VMFS \"a.vmdk\"\nDDB.x = \"1\"\n"
        let descriptor = try Self.parse(text)
        #expect(descriptor.cid == 7 && descriptor.parentCID == VMDK.noParent)
        #expect(descriptor.createType == "vmfs" && descriptor.database.count == 1)
        let error = #expect(throws: DrayError.self) { try Self.parse(text + "CID=8\n") }
        #expect(error?.message.contains("CID is there already, in line 2") == true)
    }

    @Test func `a hint that is empty is none`() throws {
        let text = Self.head + "createType=\"vmfs\"\nparentFileNameHint=\"\"\n"
        #expect(try Self.parse(text).parentFileNameHint == nil)
    }

    @Test func `a byte order mark does not matter`() throws {
        let bytes = [0xEF, 0xBB, 0xBF] + [UInt8]((Self.head + "createType=\"vmfs\"\n").utf8)
        #expect(VMDKDescriptor.matches(bytes))
        #expect(try VMDKDescriptor(bytes, file: "x").cid == 0x1234_ABCD)
        let error = #expect(throws: DrayError.self) {
            try VMDKDescriptor(bytes + [UInt8]("x=\n".utf8), file: "x")
        }
        #expect(error?.offset == UInt64(bytes.count))
    }

    static let encodings: [(name: String, bytes: [UInt8], text: String)] = [
        ("windows-1252", [0xE9, 0x80, 0x9F, 0x81], "\u{E9}\u{20AC}\u{178}\u{81}"),
        ("Windows-1252", [0xFC], "\u{FC}"), ("ISO-8859-1", [0xE9, 0x80], "\u{E9}\u{80}"),
        // What is UTF-8 is taken for that: few names in other encodings are.
        ("windows-1252", [0xC3, 0xA9], "\u{E9}"), ("UTF-8", [0xC3, 0xA9], "\u{E9}"),
        ("GBK", [0x61], "a"),
    ]

    @Test(arguments: encodings)
    func `names are read in the encoding that is named`(
        name: String,
        bytes: [UInt8],
        text: String
    ) throws {
        let head = Self.head + "encoding=\"\(name)\"\ncreateType=\"vmfs\"\nRW 8 VMFS \""
        let all = [UInt8](head.utf8) + bytes + [UInt8](".vmdk\"\n".utf8)
        #expect(try VMDKDescriptor(all, file: "x").extents.first?.name == text + ".vmdk")
    }

    @Test(arguments: ["", "encoding=\"GBK\"\n", "encoding=\"UTF-8\"\n"])
    func `a name in an encoding that is not known is refused, a comment or a ddb line is not`(
        line: String
    ) throws {
        let head =
            [UInt8]((Self.head + line + "createType=\"vmfs\"\n # ").utf8) + [0xE9, 0x0A]
            + [UInt8]("ddb.comment = \"".utf8) + [0xE9, 0x22, 0x0A]
        #expect(try VMDKDescriptor(head, file: "x").createType == "vmfs")
        let name = [UInt8]("RW 8 VMFS \"".utf8) + [0xE9, 0x22, 0x0A]
        let error = #expect(throws: DrayError.self) { try VMDKDescriptor(head + name, file: "x") }
        #expect(error?.kind == .unsupported && error?.offset == UInt64(head.count))
    }

    static let bad: [(text: String, says: String)] = [
        ("", "no createType"),
        ("createType=\"monolithicSparse\"\nCID=1\n", "line 6 of the descriptor: CID"),
        ("createType=\"fullDevice\"\n", "made of devices"),
        ("createType=\"vmfsRawDeviceMap\"\n", "made of devices"),
        ("createType=\"later\"\n", "'later' is not known"),
        ("parentCID=1\n", "parentCID is there already"),
        ("objectId=\"x\"\n", "'objectId' is not known"),
        ("isNativeSnapshot=\"yes\"\n", "isNativeSnapshot"),
        ("createType=\"vmfs\n", "quotes"),
        ("createType=vm\"fs\"\n", "quotes"),
        ("RW 5 FLAT \"a\"\n", "no offset"),
        ("RW 5 FLAT \"a\" -1\n", "'-1'"),
        ("RW 5 FLAT \"a\" 1 2\n", "more than an offset"),
        ("RW 5 FLAT \"a\" 0 partitionUUID \"x\"\n", "more than an offset"),
        ("RW 5 SPARSE \"a\" 1\n", "'1'"),
        ("RW 5 SPARSE a\n", "quotes"),
        ("RW 5 SPARSE \"\"\n", "empty"),
        ("RW 5 SPARSE \"a\n", "neither"),
        ("RW 5 ZERO \"a\"\n", "zeros"),
        ("RW -5 ZERO\n", "'-5'"),
        ("RW 99999999999999999999 ZERO\n", "sectors"),
        ("RW 18014398507384832 ZERO\nRW 1 ZERO\n", "line 6"),
        ("NOACCESS 5 ZERO\n", "'NOACCESS'"),
        ("rw 5 ZERO\n", "'rw'"),
        ("RW 5 flat \"a\" 0\n", "'flat'"),
        ("RW 5 VMFSRDM \"a\"\n", "'VMFSRDM'"),
        ("RW 5\n", "neither"),
        ("something\n", "neither"),
        (String(repeating: "#", count: 5000) + "\n", "too long"),
        (String(repeating: "\n", count: 20_000), "too long"),
        (String(repeating: "RW 1 ZERO\n", count: 1025), "more than 1024 extents"),
    ]

    @Test(arguments: bad)
    func `a line that is not understood is refused with its number`(text: String, says: String) {
        let error = #expect(throws: DrayError.self) { try Self.parse(Self.head + text) }
        #expect(error?.message.contains(says) == true, "\(error?.description ?? "")")
        #expect(error?.kind == .corrupt || error?.kind == .unsupported)
        #expect((error?.offset ?? 0) >= 512 && error?.file == "disk.vmdk")
    }

    @Test(arguments: ["CID=123456789", "CID=-1", "CID=+1", "CID=", "CID=xyz", "version=4"])
    func `numbers that are none are refused`(line: String) {
        let text = "\(line)\ncreateType=\"vmfs\"\n"
        #expect(throws: DrayError.self) { try Self.parse(text) }
    }

    @Test func `text that is not UTF-8 is refused`() {
        let bytes = [UInt8](Self.head.utf8) + [0x22, 0xFF, 0x22]
        let error = #expect(throws: DrayError.self) {
            try VMDKDescriptor(bytes, file: "x")
        }
        #expect(error?.kind == .unsupported)
    }

    @Test(arguments: ["a\"b", "a\nb", "a\u{1}b"])
    func `a name that cannot be written is refused`(name: String) {
        let extent = VMDKExtentLine(.readWrite, sectors: 1, .sparse, name: name)
        let descriptor = VMDKDescriptor(cid: 1, createType: "custom", extents: [extent])
        let error = #expect(throws: DrayError.self) { try descriptor.text() }
        #expect(error?.kind == .invalid)
    }

    static let starts: [(String, Bool)] = [
        ("# Disk DescriptorFile\nwhatever", true), ("#x\n \n\nversion=1\n", true),
        ("version=3\r\n", true), ("version=4\n", false), ("version=1", true), ("#only\n", false),
        ("", false), ("hello", false), ("\u{0}version=1\n", false),
    ]

    @Test(arguments: starts)
    func `a descriptor is known by its first lines`(start: String, isDescriptor: Bool) {
        #expect(VMDKDescriptor.matches([UInt8](start.utf8)) == isDescriptor)
    }
}
