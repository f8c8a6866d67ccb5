// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Reads a descriptor line by line.
struct VMDKDescriptorParser {
    /// The settings; upper and lower case do not matter in them.
    private static let keys = [
        "version", "encoding", "CID", "parentCID", "isNativeSnapshot", "createType",
        "parentFileNameHint", "changeTrackPath",
    ]

    private let file: String
    private let base: UInt64
    private var number = 0
    private var offset = 0
    private var seen: [String: Int] = [:]
    private var descriptor = VMDKDescriptor(cid: 0, createType: "", extents: [])
    private var sectors: UInt64 = 0

    /// A parser of text at `base` of `file`.
    init(file: String, base: UInt64) {
        self.file = file
        self.base = base
    }

    /// Parses all lines.
    mutating func parse(_ bytes: ArraySlice<UInt8>) throws(DrayError) -> VMDKDescriptor {
        var rest = bytes
        while !rest.isEmpty {
            let line = rest.prefix { $0 != 0x0A }
            rest = rest.dropFirst(line.count + 1)
            number += 1
            guard number <= VMDK.mostLines, line.count <= VMDK.longestLine else {
                throw error(.unsupported, "the descriptor is too long")
            }
            try parse(line: line.last == 0x0D ? line.dropLast() : line)
            offset += line.count + 1
        }
        for key in ["version", "CID", "createType"] where seen[key] == nil {
            throw DrayError(.corrupt, "the descriptor has no \(key)", file: file, offset: base)
        }
        return descriptor
    }

    private mutating func parse(line: ArraySlice<UInt8>) throws(DrayError) {
        guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 }),
            first != UInt8(ascii: "#")
        else { return }
        let trimmed = VMDKLine.trimmed(try text(of: line)[...])
        guard let equals = trimmed.utf8.firstIndex(of: UInt8(ascii: "=")),
            !trimmed[..<equals].utf8.contains(UInt8(ascii: "\""))
        else { return try addExtent(VMDKLine.words(trimmed)) }
        let key = String(VMDKLine.trimmed(trimmed[..<equals]))
        let value = VMDKLine.trimmed(trimmed[trimmed.utf8.index(after: equals)...])
        try set(key, try unquoted(value))
    }

    /// What VMware writes on Windows is in the encoding that the descriptor names, but for what was edited since.
    private func text(of line: ArraySlice<UInt8>) throws(DrayError) -> String {
        if let text = String(validating: line, as: UTF8.self) { return text }
        // Nothing depends on the disk database.
        if line.starts(with: "ddb.".utf8) { return String(decoding: line, as: UTF8.self) }
        guard let name = descriptor.encoding else {
            throw error(.unsupported, "the line is not UTF-8, and no encoding is named")
        }
        guard let encoding = VMDKTextEncoding(name) else {
            throw error(.unsupported, "the line is not UTF-8, and '\(name)' is not known")
        }
        return encoding.decode(line)
    }

    private mutating func set(_ spelling: String, _ value: String) throws(DrayError) {
        let lower = spelling.lowercased()
        if lower.hasPrefix("ddb.") {
            descriptor.database.append(VMDKDescriptor.DatabaseEntry(spelling, value))
            return
        }
        let key = Self.keys.first { $0.lowercased() == lower } ?? spelling
        if let earlier = seen.updateValue(number, forKey: key) {
            throw error(.corrupt, "\(key) is there already, in line \(earlier)")
        }
        switch key {
        case "version": descriptor.version = try version(value)
        case "encoding": descriptor.encoding = value
        case "CID": descriptor.cid = try contentID(value)
        case "parentCID": descriptor.parentCID = try contentID(value)
        case "isNativeSnapshot": try setNativeSnapshot(value)
        case "createType": descriptor.createType = try createType(value)
        case "parentFileNameHint": descriptor.parentFileNameHint = value.isEmpty ? nil : value
        case "changeTrackPath": descriptor.changeTrackPath = value
        default: throw error(.unsupported, "'\(key)' is not known")
        }
    }

    private func version(_ value: String) throws(DrayError) -> UInt32 {
        guard let version = VMDKLine.number(value[...]), (1...3).contains(version) else {
            throw error(.unsupported, "descriptors of version '\(value)'")
        }
        return UInt32(version)
    }

    private func contentID(_ value: String) throws(DrayError) -> UInt32 {
        guard let first = value.utf8.first, first != UInt8(ascii: "+"),
            let id = UInt32(value, radix: 16)
        else { throw error(.corrupt, "'\(value)' is not a content id of up to 8 hex digits") }
        return id
    }

    private mutating func setNativeSnapshot(_ value: String) throws(DrayError) {
        guard value == "no" else {
            throw error(.unsupported, "isNativeSnapshot is '\(value)': the array has the data")
        }
        descriptor.saysNoNativeSnapshot = true
    }

    private func createType(_ value: String) throws(DrayError) -> String {
        if VMDKCreateTypes.devices.contains(value) {
            throw error(.unsupported, "createType '\(value)' is made of devices")
        }
        guard VMDKCreateTypes.files.contains(value) else {
            throw error(.unsupported, "createType '\(value)' is not known")
        }
        return value
    }

    private func unquoted(_ value: Substring) throws(DrayError) -> String {
        let quote = UInt8(ascii: "\"")
        guard value.utf8.first == quote else {
            guard !value.utf8.contains(quote) else { throw error(.corrupt, "stray quotes") }
            return String(value)
        }
        let inner = value.utf8.dropFirst().dropLast()
        guard value.utf8.count >= 2, value.utf8.last == quote, !inner.contains(quote) else {
            throw error(.corrupt, "quotes that do not end with the line")
        }
        return String(Substring(inner))
    }

    private mutating func addExtent(_ words: [Substring]?) throws(DrayError) {
        guard let words, words.count >= 3 else {
            throw error(.corrupt, "the line is neither a setting nor an extent")
        }
        guard descriptor.extents.count < VMDK.mostExtents else {
            throw error(.unsupported, "the disk has more than \(VMDK.mostExtents) extents")
        }
        guard let access = VMDKExtentLine.Access(rawValue: String(words[0])) else {
            throw error(.unsupported, "extents with the access '\(words[0])'")
        }
        guard let size = VMDKLine.number(words[1]),
            let end = sectors.adding(size), end <= VMDK.mostSectors
        else { throw error(.corrupt, "the extent's size '\(words[1])' is no number of sectors") }
        guard let kind = VMDKExtentLine.Kind(rawValue: String(words[2])) else {
            throw error(.unsupported, "extents of type '\(words[2])'")
        }
        let place = try place(kind, words.dropFirst(3))
        sectors = end
        descriptor.extents.append(
            VMDKExtentLine(
                access,
                sectors: size,
                kind,
                name: place.name,
                offset: place.offset,
                line: number
            )
        )
    }

    /// The file's name, which comes in quotes, and the offset, which flat extents must and extents on VMFS may have.
    private func place(_ kind: VMDKExtentLine.Kind, _ words: ArraySlice<Substring>)
        throws(DrayError) -> (name: String, offset: UInt64)
    {
        if kind == .zero {
            guard words.isEmpty else { throw error(.corrupt, "an extent of zeros has no file") }
            return ("", 0)
        }
        guard let first = words.first, first.utf8.first == UInt8(ascii: "\"") else {
            throw error(.corrupt, "the extent has no file name in quotes")
        }
        let name = try unquoted(first)
        guard !name.isEmpty else { throw error(.corrupt, "the extent's file name is empty") }
        let rest = words.dropFirst()
        guard let last = rest.first else {
            guard kind != .flat else { throw error(.corrupt, "the flat extent has no offset") }
            return (name, 0)
        }
        if rest.count > 1 {
            throw error(.corrupt, "there is more than an offset behind the file name")
        }
        guard let offset = VMDKLine.number(last),
            offset <= VMDK.mostSectors, kind == .flat || offset == 0
        else {
            throw error(.corrupt, "'\(last)' is not an offset that a \(kind.rawValue) extent has")
        }
        return (name, offset)
    }

    private func error(_ kind: DrayError.Kind, _ message: String) -> DrayError {
        DrayError(
            kind,
            "line \(number) of the descriptor: \(message)",
            file: file,
            offset: base + UInt64(offset)
        )
    }
}
