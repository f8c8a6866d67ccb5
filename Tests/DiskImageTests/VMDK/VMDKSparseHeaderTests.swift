// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Testing

/// Headers of hosted sparse extents.
@Suite struct VMDKSparseHeaderTests {
    private static var example: VMDKSparseHeader {
        var header = VMDKSparseHeader(capacity: 20_480)
        header.version = 3
        header.flags = [.newlineDetection, .redundantDirectory, .compressed, .markers]
        header.grainSize = 256
        header.descriptorOffset = 1
        header.descriptorSize = 20
        header.tableEntries = 128
        header.redundantDirectory = 21
        header.directory = VMDK.directoryAtEnd
        header.overhead = 128
        header.isUnclean = true
        header.compression = VMDK.compressionDeflate
        return header
    }

    @Test func `what is written is read again`() throws {
        let bytes = Self.example.serialized()
        #expect(bytes.count == 512)
        #expect(try VMDKSparseHeader(bytes, file: "x") == Self.example)
        #expect(Self.example.tableCoverage == 32_768)
        #expect(Self.example.directoryEntries == 1)
    }

    static let bad: [(offset: Int, bytes: [UInt8], kind: DrayError.Kind)] = [
        (0, [0x4B, 0x44, 0x4D, 0x57], .corrupt), (4, [0], .unsupported), (4, [4], .unsupported),
        (11, [0x80], .unsupported), (19, [0xFF], .unsupported), (20, [0, 0], .corrupt),
        (20, [3, 0], .corrupt), (20, [4, 0], .corrupt), (20, [0, 0, 4], .corrupt),
        (20, [0, 0, 1], .unsupported), (44, [0], .corrupt), (44, [1, 2], .corrupt),
        (73, [0x20], .corrupt), (75, [0x0A], .corrupt), (77, [2], .unsupported),
        (77, [0], .corrupt),
    ]

    @Test(arguments: bad)
    func `a bad field is named with its offset`(
        offset: Int,
        bytes: [UInt8],
        kind: DrayError.Kind
    ) throws {
        var header = Self.example.serialized()
        header.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        let error = #expect(throws: DrayError.self) {
            try VMDKSparseHeader(header, file: "x", base: 1024)
        }
        #expect(error?.kind == kind, "\(error?.description ?? "")")
        let field = [11: 8, 19: 12, 75: 73][offset] ?? offset
        #expect(error?.offset == UInt64(1024 + field))
    }

    @Test func `a short header is refused`() {
        let bytes = Array(Self.example.serialized().prefix(511))
        #expect(throws: DrayError.self) { try VMDKSparseHeader(bytes, file: "x") }
    }

    @Test func `flags that may be ignored are`() throws {
        var bytes = Self.example.serialized()
        bytes[9] = 0x80
        _ = try VMDKSparseHeader(bytes, file: "x")
    }
}
