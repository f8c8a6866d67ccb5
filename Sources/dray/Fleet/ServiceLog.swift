// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import FoundationEssentials

/// The log lines of a long-running role, on standard error: a time, a level, a message, and keys with values.
struct ServiceLog: Sendable {
    /// How much a line matters.
    enum Level: String, Sendable, CaseIterable, Comparable {
        case debug
        case info
        case warning
        case error

        static func < (one: Level, other: Level) -> Bool {
            (allCases.firstIndex(of: one) ?? 0) < (allCases.firstIndex(of: other) ?? 0)
        }
    }

    private let least: Level
    private let isJSON: Bool

    /// The log that the settings ask for.
    init(_ settings: Settings) throws(UsageError) {
        let level = settings.value(.logLevel) ?? Level.info.rawValue
        guard let least = Level(rawValue: level) else {
            throw UsageError("--log-level: '\(level)' is not debug, info, warning or error")
        }
        let format = settings.value(.logFormat) ?? "logfmt"
        guard format == "logfmt" || format == "json" else {
            throw UsageError("--log-format: '\(format)' is not logfmt or json")
        }
        self.least = least
        isJSON = format == "json"
    }

    /// Writes a line, unless it matters less than what is asked for.
    func write(_ level: Level, _ message: String, _ pairs: KeyValuePairs<String, String> = [:]) {
        guard level >= least else { return }
        let time = Date.now.formatted(.iso8601.time(includingFractionalSeconds: true))
        var fields = [("time", time), ("level", level.rawValue), ("msg", message)]
        for (key, value) in pairs { fields.append((key, value)) }
        if isJSON {
            let members = fields.map { JSONText.quoted($0.0) + ":" + JSONText.quoted($0.1) }
            StandardError.write("{" + members.joined(separator: ",") + "}\n")
        } else {
            let words = fields.map { "\($0.0)=\(Self.logfmt($0.1))" }
            StandardError.write(words.joined(separator: " ") + "\n")
        }
    }

    /// Takes a line of librdkafka with its syslog level. What it calls an error is mostly a broker that is away for a while.
    func kafka(_ severity: Int, _ text: String) {
        write(severity <= 4 ? .warning : .debug, "kafka", ["text": text])
    }

    /// A value as logfmt has it: quoted where it is not one plain word.
    private static func logfmt(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=")
        }
        return isPlain && !value.isEmpty ? value : JSONText.quoted(value)
    }
}
