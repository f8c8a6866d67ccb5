// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import Fleet
internal import FoundationEssentials
internal import TaskLog

/// Events as a person or a program reads them.
enum EventText {
    /// A line for a person; nil for what progress shows better.
    static func line(_ event: EventMessage, _ record: LogRecord) -> String? {
        text(event.body).map { time(record.timestamp) + " " + $0 }
    }

    /// One JSON object: the CloudEvents headers without their prefix, and the value as `data`.
    static func json(_ record: LogRecord) -> String {
        var fields = record.headers.filter { $0.name.hasPrefix("ce_") }.map { header in
            JSONText.quoted(String(header.name.dropFirst(3))) + ":"
                + JSONText.quoted(String(decoding: header.value, as: UTF8.self))
        }
        fields.append("\"data\":" + String(decoding: record.value ?? [], as: UTF8.self))
        return "{" + fields.joined(separator: ",") + "}"
    }

    /// A time in UTC, to the second.
    static func time(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds / 1000)).formatted(.iso8601)
    }

    private static func text(_ body: EventMessage.Body) -> String? {
        switch body {
        case .submitted: return "submitted"
        case .range: return nil
        case .planned(let plan):
            return
                "planned: \(plan.rangeCount) ranges, \(HumanSize.text(plan.dataBytes)) of data on a disk of "
                + HumanSize.text(plan.guestSize)
        case .retrying(let task, let failures, let wait, let error):
            let place = task.step == .range ? "range \(task.index)" : task.step.rawValue
            let seconds = FixedPoint.text(Double(wait) / 1000, decimals: 1)
            return "\(place) failed (\(failures)), again in \(seconds) s: \(error)"
        case .finished(let outcome):
            return "finished" + (outcome.digest.map { ": " + $0 } ?? "")
        case .failed(let error): return "failed: \(error)"
        case .cancelled: return "cancelled"
        }
    }
}
