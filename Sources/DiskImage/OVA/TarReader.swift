// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// A file inside a tar archive.
struct TarMember: Sendable {
    /// Its name, without `./` in front.
    let name: String
    /// Where its bytes are in the archive.
    let bytes: Range<UInt64>
}

/// Reads the directory of a tar archive: POSIX.1-1988 (ustar), pax (POSIX.1-2001) and GNU tar's long names and large sizes. No content
/// is looked at.
struct TarReader {
    /// How many members an archive may have.
    static let mostMembers = 10_000
    /// How long a member's name, or the attributes of one, may be, in bytes.
    static let longestAttributes: UInt64 = 64 << 10

    private let storage: any Storage
    private let block = AlignedBuffer(count: TarHeader.size)
    private var position: UInt64 = 0
    private var members: [TarMember] = []
    /// What the attributes before the next member say about it.
    private var next = Attributes()

    private struct Attributes {
        var name: String?
        var size: UInt64?
    }

    /// The regular files in `storage`, in order. Fails with `corrupt` where a header is damaged, a member ends beyond the archive or the end
    /// mark is missing, with `unsupported` where a member is sparse.
    static func members(of storage: any Storage) throws(DrayError) -> [TarMember] {
        var reader = TarReader(storage)
        while try reader.readMember() {}
        return reader.members
    }

    private init(_ storage: any Storage) { self.storage = storage }

    /// Reads the next header with what belongs to it; false at the end mark.
    private mutating func readMember() throws(DrayError) -> Bool {
        let start = position
        guard let header = try readHeader() else { return false }
        var size = try header.size(storage.name, at: start)
        let isFile = "07\0".utf8.contains(header.kind)
        if isFile, let attribute = next.size { size = attribute }
        let content = try place(size, of: header, at: start)
        switch header.kind {
        case UInt8(ascii: "x"): try readAttributes(content)
        case UInt8(ascii: "g"): break
        case UInt8(ascii: "L"):
            next.name = Self.text(try bytes(content)[...])
        case UInt8(ascii: "S"), UInt8(ascii: "M"):
            throw isSparse(next.name ?? header.name, start)
        default:
            if isFile { try add(next.name ?? header.name, content, start) }
            // A long link's name ("K") stands before the link's header, like a long name.
            if header.kind != UInt8(ascii: "K") { next = Attributes() }
        }
        return true
    }

    /// The header at `position`, which is passed; nil at the end mark, a block of zeros.
    private mutating func readHeader() throws(DrayError) -> TarHeader? {
        guard position + UInt64(TarHeader.size) <= storage.length else {
            throw DrayError(
                .corrupt,
                "the archive is cut off: it has no end mark",
                file: storage.name,
                offset: position
            )
        }
        try storage.read(HostOffset(position), into: block, 0..<TarHeader.size)
        guard !block.isZero(0..<TarHeader.size) else { return nil }
        guard let header = TarHeader(block.bytes(0..<TarHeader.size)) else {
            throw DrayError(
                .corrupt,
                "a tar header's checksum is wrong",
                file: storage.name,
                offset: position
            )
        }
        position += UInt64(TarHeader.size)
        return header
    }

    /// Where the content behind a header is; passes it, up to the next whole block.
    private mutating func place(
        _ size: UInt64,
        of header: TarHeader,
        at start: UInt64
    ) throws(DrayError) -> Range<UInt64> {
        // Links, directories and devices have no content, whatever they say.
        let hasContent = !"123456".utf8.contains(header.kind)
        let count = hasContent ? size : 0
        guard let end = position.adding(count), end <= storage.length,
            let rounded = end.roundedUp(to: UInt64(TarHeader.size))
        else {
            throw DrayError(
                .corrupt,
                "the member \(next.name ?? header.name) of \(count) bytes ends beyond the archive, "
                    + "which has \(storage.length)",
                file: storage.name,
                offset: start
            )
        }
        defer { position = rounded }
        return position..<end
    }

    private mutating func add(
        _ name: String,
        _ bytes: Range<UInt64>,
        _ start: UInt64
    ) throws(DrayError) {
        var plain = name[...]
        while plain.hasPrefix("./") { plain = plain.dropFirst(2) }
        guard members.count < Self.mostMembers else {
            throw DrayError(
                .unsupported,
                "the archive has more than \(Self.mostMembers) members",
                file: storage.name,
                offset: start
            )
        }
        members.append(TarMember(name: String(plain), bytes: bytes))
    }

    /// Reads a pax header: records of length, key and value.
    private mutating func readAttributes(_ content: Range<UInt64>) throws(DrayError) {
        var rest = try bytes(content)[...]
        while let space = rest.firstIndex(of: UInt8(ascii: " ")) {
            let digits = String(decoding: rest[..<space], as: UTF8.self)
            guard let length = Int(digits), length > space - rest.startIndex + 1,
                length <= rest.count
            else { break }
            let record = rest[(space + 1)..<(rest.startIndex + length)].dropLast()
            rest = rest.dropFirst(length)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { break }
            let key = String(decoding: record[..<equals], as: UTF8.self)
            try take(key, record[(equals + 1)...], content.lowerBound)
        }
        guard rest.isEmpty else {
            throw DrayError(
                .corrupt,
                "a member's extended attributes cannot be read",
                file: storage.name,
                offset: content.lowerBound
            )
        }
    }

    private mutating func take(
        _ key: String,
        _ value: ArraySlice<UInt8>,
        _ start: UInt64
    ) throws(DrayError) {
        switch key {
        case "path": next.name = Self.text(value)
        case "size":
            guard let size = UInt64(String(decoding: value, as: UTF8.self)) else {
                throw DrayError(
                    .corrupt,
                    "a member's size is no number",
                    file: storage.name,
                    offset: start
                )
            }
            next.size = size
        case let key where key.hasPrefix("GNU.sparse."):
            throw isSparse(next.name ?? "that follows", start)
        default: break
        }
    }

    private func isSparse(_ name: String, _ offset: UInt64) -> DrayError {
        DrayError(
            .unsupported,
            "the member \(name) is stored sparse or in parts; unpack the archive",
            file: storage.name,
            offset: offset
        )
    }

    private func bytes(_ place: Range<UInt64>) throws(DrayError) -> [UInt8] {
        let count = place.upperBound - place.lowerBound
        guard count > 0 else { return [] }
        guard count <= Self.longestAttributes else {
            throw DrayError(
                .unsupported,
                "a member has attributes of \(count) bytes; Dray takes at most \(Self.longestAttributes)",
                file: storage.name,
                offset: place.lowerBound
            )
        }
        let buffer = AlignedBuffer(count: Int(count))
        try storage.read(HostOffset(place.lowerBound), into: buffer, 0..<Int(count))
        return buffer.bytes(0..<Int(count))
    }

    /// The text up to the first zero byte.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
