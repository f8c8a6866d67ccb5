// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Glibc

/// A line of the snapshot list in the human output of `dray info`.
struct SnapshotRow {
    /// The line above the list.
    static let header = row("ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT")

    private let fields: [FormatInformation.Field]

    /// The line of the snapshot with these fields.
    init(_ fields: [FormatInformation.Field]) { self.fields = fields }

    /// The line.
    var text: String {
        Self.row(
            string("id"),
            string("name"),
            HumanSize.text(number("vm-state-size") ?? 0),
            Self.localTime(number("date-sec") ?? 0),
            clock,
            number("icount").map(String.init) ?? ""
        )
    }

    private var clock: String {
        let seconds = number("vm-clock-sec") ?? 0
        let parts = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { Self.padded($0, 2) }
        let thousandths = Self.padded((number("vm-clock-nsec") ?? 0) / 1_000_000, 3)
        return parts.joined(separator: ":") + "." + thousandths
    }

    private func value(_ key: String) -> FormatInformation.Value? {
        fields.first { $0.key == key }?.value
    }

    private func string(_ key: String) -> String {
        guard case .text(let text) = value(key) else { return "" }
        return text.escapingControls
    }

    private func number(_ key: String) -> UInt64? {
        guard case .number(let number) = value(key) else { return nil }
        return number
    }

    private static func padded(_ number: UInt64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// The time in the local time zone, as `2026-11-21 11:32:27`.
    private static func localTime(_ seconds: UInt64) -> String {
        var time = time_t(clamping: seconds)
        var parts = unsafe tm()
        guard unsafe localtime_r(&time, &parts) != nil else { return "" }
        let day = unsafe [parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday]
        let hour = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec]
        func text(_ numbers: [Int32]) -> [String] {
            numbers.map { padded(UInt64(clamping: $0), 2) }
        }
        return text(day).joined(separator: "-") + " " + text(hour).joined(separator: ":")
    }

    private static func row(
        _ id: String,
        _ name: String,
        _ size: String,
        _ date: String,
        _ clock: String,
        _ count: String
    ) -> String {
        left(id, 10) + left(name, 17) + right(size, 8) + right(date, 20) + right(clock, 13)
            + right(count, 11)
    }

    private static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
