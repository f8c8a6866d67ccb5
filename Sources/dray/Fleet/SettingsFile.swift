// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import FoundationEssentials

/// A file of settings: a line `NAME = VALUE` each; `#` begins a comment.
struct SettingsFile {
    /// The values of each name, in order.
    private(set) var values: [String: [String]] = [:]

    /// No settings.
    init() {}

    /// Reads the file at `path`. Fails with `resource` where it cannot be read, and with a usage error for a line that is no setting.
    init(path: String) throws {
        let data = try InputFile.read(path)
        let lines = String(decoding: data, as: UTF8.self).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        for (number, line) in lines.enumerated() {
            let text = line.trimming { $0.isWhitespace }
            guard !text.isEmpty, !text.hasPrefix("#") else { continue }
            try add(text, "\(path), line \(number + 1)")
        }
    }

    private mutating func add(_ line: Substring, _ place: String) throws(UsageError) {
        guard let equals = line.firstIndex(of: "=") else {
            throw UsageError("\(place): '\(line)' is not NAME = VALUE")
        }
        let name = String(line[..<equals].trimming { $0.isWhitespace })
        let value = String(line[line.index(after: equals)...].trimming { $0.isWhitespace })
        guard Self.names.contains(name) else {
            throw UsageError("\(place): there is no setting '\(name)'")
        }
        values[name, default: []].append(value)
    }

    /// The options that are settings: one file serves every command, which takes what concerns it.
    private static let names: Set<String> = {
        let options = CoordinatorTable.command.visibleOptions + WorkerTable.command.visibleOptions
        return Set(options.filter { $0.value != nil }.map(\.long)).subtracting(["config"])
    }()
}

extension Substring {
    /// The text without what `isUnwanted` at both ends.
    fileprivate func trimming(_ isUnwanted: (Character) -> Bool) -> Substring {
        var text = drop(while: isUnwanted)
        while let last = text.last, isUnwanted(last) { text.removeLast() }
        return text
    }
}
