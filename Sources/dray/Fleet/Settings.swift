// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CommandTable
internal import Glibc

/// The settings of a command of the fleet: a flag goes before an environment variable, and that before the settings' file.
struct Settings {
    /// The file that is read where none is named.
    static let standardFile = "/etc/dray/dray.conf"

    private let arguments: ParsedArguments
    private let file: SettingsFile

    /// Reads the settings' file, if there is one.
    init(_ arguments: ParsedArguments) throws {
        self.arguments = arguments
        let named = arguments.value(.config) ?? Self.environment(.config)
        if let named {
            file = try SettingsFile(path: named)
        } else if unsafe access(Self.standardFile, F_OK) == 0 {
            file = try SettingsFile(path: Self.standardFile)
        } else {
            file = SettingsFile()
        }
    }

    /// Every value of `option` from the first place that has one.
    func values(_ option: OptionSpec) -> [String] {
        let given = arguments.values(option)
        if !given.isEmpty { return given }
        if let text = Self.environment(option) { return [text] }
        return file.values[option.long] ?? []
    }

    /// The last value of `option`, if any.
    func value(_ option: OptionSpec) -> String? { values(option).last }

    /// The whole number that `option` gives.
    func number(_ option: OptionSpec, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = value(option) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(
                "--\(option.long): '\(text)' is not a number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return number
    }

    /// The time in seconds that `option` gives, as milliseconds: at least 50, at most a week.
    func milliseconds(_ option: OptionSpec) throws(UsageError) -> Int64? {
        guard let text = value(option) else { return nil }
        guard let seconds = Double(text), (0.05...604_800).contains(seconds) else {
            throw UsageError("--\(option.long): '\(text)' is not a number of seconds")
        }
        return Int64(seconds * 1000)
    }

    /// The variable that stands for an option: `DRAY_LOG_FORMAT` for `--log-format`. An empty one counts as none.
    private static func environment(_ option: OptionSpec) -> String? {
        let name = "DRAY_" + option.long.uppercased().replacing("-", with: "_")
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }
}
