// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CommandTable
internal import DiskImage

extension ParsedArguments {
    /// The options of `-o`.
    func creationOptions() throws(UsageError) -> KeyValueList {
        try KeyValueList(values(ConvertTable.creationOptions), for: "-o")
    }

    /// What `-o help` asks for; nil where it was not given.
    func creationHelp() throws(UsageError) -> String? {
        guard command.options.contains(ConvertTable.creationOptions) else { return nil }
        guard try creationOptions().asksForHelp else { return nil }
        let format = try format(ConvertTable.targetFormat) ?? .raw
        return TargetFormats.help(for: format) + "\n"
    }
}

extension KeyValueList {
    /// The entries as the target format takes them.
    var formatOptions: [FormatOption] { entries.map { FormatOption($0.key, $0.value) } }
}
