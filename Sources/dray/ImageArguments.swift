// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import DiskImage
internal import Storage

/// The values of options that several commands share, checked.
extension ParsedArguments {
    /// The format that `option` names, nil where it was not given.
    func format(_ option: OptionSpec) throws(UsageError) -> ImageFormat? {
        guard let name = value(option) else { return nil }
        guard let format = ImageFormat(rawValue: name) else {
            throw UsageError("unknown format '\(name)'; formats are \(Self.list(ImageFormat.self))")
        }
        return format
    }

    /// The cache mode that `option` names.
    func cache(_ option: OptionSpec, default standard: CacheMode) throws(UsageError) -> CacheMode {
        guard let name = value(option) else { return standard }
        guard let mode = CacheMode(rawValue: name) else {
            throw UsageError(
                "unknown cache mode '\(name)'; modes are \(Self.list(CacheMode.self))"
            )
        }
        return mode
    }

    /// The size that `option` gives, in bytes.
    func size(_ option: OptionSpec) throws(UsageError) -> UInt64? {
        guard let text = value(option) else { return nil }
        return try ByteSize.parse(text, for: "--" + option.long)
    }

    /// Whether the answer is to be JSON, as `option` says.
    func wantsJSON(_ option: OptionSpec = .output) throws(UsageError) -> Bool {
        switch value(option) {
        case nil, "human": false
        case "json": true
        case .some(let other):
            throw UsageError("--output must be used with human or json, not '\(other)'")
        }
    }

    /// The gate that `--allow-references` and `--no-references` ask for.
    func gate() throws(UsageError) -> any ReferenceGate {
        let directories = values(.allowReferences)
        guard has(.noReferences) else { return DirectoryGate(alsoAllowing: directories) }
        guard directories.isEmpty else {
            throw UsageError("--allow-references and --no-references contradict each other")
        }
        return ClosedGate()
    }

    /// The internal snapshot that `-l` names, by id, name, either or both.
    func snapshot() throws(UsageError) -> SnapshotChoice? {
        guard let text = value(.snapshot) else { return nil }
        guard text.hasPrefix("snapshot.id=") || text.hasPrefix("snapshot.name=") else {
            return .idOrName(text)
        }
        let list = try KeyValueList([text], for: "-l")
        for entry in list.entries where entry.key != "snapshot.id" && entry.key != "snapshot.name" {
            throw UsageError("-l: unknown key '\(entry.key)'")
        }
        return switch (list.value("snapshot.id"), list.value("snapshot.name")) {
        case (let id?, let name?): .both(id: id, name: name)
        case (let id?, nil): .id(id)
        case (nil, let name): name.map { .name($0) }
        }
    }

    /// How many ranges run at a time, nil for one a processor.
    func workers() throws(UsageError) -> Int? {
        guard let text = value(.workers) else { return nil }
        guard let count = Int(text), (1...64).contains(count) else {
            throw UsageError("-m: '\(text)' is not a number from 1 to 64")
        }
        return count
    }

    /// The range size that `--range-size` asks for, in bytes.
    func rangeSize() throws(UsageError) -> UInt64? {
        guard let size = try size(.rangeSize) else { return nil }
        guard size > 0, size % (4 << 20) == 0 else {
            throw UsageError("--range-size: must be a multiple of 4M")
        }
        return size
    }

    private static func list<T: CaseIterable & RawRepresentable>(_: T.Type) -> String
    where T.RawValue == String {
        T.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
