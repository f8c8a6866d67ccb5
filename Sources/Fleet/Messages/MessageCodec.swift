// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Conversion
internal import FoundationEssentials
package import TaskLog

/// Turns messages into records and back: JSON with CloudEvents headers in binary mode.
///
/// Unknown fields are ignored, unknown types refused. What is too large or too deep is refused before it is parsed.
package struct MessageCodec: Sendable {
    /// The most bytes that a record's value may have.
    package static let largestValue = 8 << 20
    /// How deep a record's JSON may nest.
    package static let deepest = 32

    /// Who writes (`ce_source`).
    package let source: String

    /// Makes a codec for one role's records.
    package init(source: String) { self.source = source }

    /// The record that carries `message`, produced at `wallMilliseconds` since 1970.
    package func record(
        _ message: Message,
        to target: PartitionID,
        wallMilliseconds: Int64
    ) -> NewRecord {
        let coded = CodedMessage(message: message, source: source, time: wallMilliseconds)
        return NewRecord(target, key: Array(message.key.utf8), content: .message(coded))
    }

    /// The type that a record's header names, nil where that is none of ours.
    package static func type(of record: LogRecord) -> MessageType? {
        if let coded = CodedMessage(in: record) { return coded.message.type }
        let name = record.headers.first { $0.name == "ce_type" }?.value.prefix(100)
        return name.flatMap { MessageType(rawValue: String(decoding: $0, as: UTF8.self)) }
    }

    /// What a record holds.
    package enum Content: Sendable {
        /// A message.
        case message(Message)
        /// Nothing: the key of a compacted topic is gone.
        case removed
        /// Something else: what to tell a person of it.
        case unreadable(DeadLetter)
    }

    /// The message that a record carries, or the dead letter about it.
    package static func read(_ record: LogRecord) -> Content {
        if case .bytes(_, nil) = record.content, Topics.compacted.contains(record.topic) {
            return .removed
        }
        do throws(DrayError) {
            return .message(try message(record))
        } catch {
            return .unreadable(DeadLetter(record, error))
        }
    }

    /// The message that a record carries. Fails with `unsupported` for types and sizes that are not ours,
    /// with `corrupt` for content that is not what its type says.
    package static func message(_ record: LogRecord) throws(DrayError) -> Message {
        if let coded = CodedMessage(in: record) { return coded.message }
        guard let header = record.headers.first(where: { $0.name == "ce_type" }) else {
            throw DrayError(.unsupported, "the record has no header ce_type")
        }
        let name = String(decoding: header.value.prefix(100), as: UTF8.self)
        guard let type = MessageType(rawValue: name) else {
            throw DrayError(.unsupported, "the record's type \"\(name)\" is unknown")
        }
        guard let value = record.value else { throw DrayError(.corrupt, "the record is empty") }
        guard value.count <= largestValue else {
            throw DrayError(.unsupported, "a record of \(value.count) bytes is too large")
        }
        return try decode(type, value)
    }

    static func encode(_ message: Message) throws(DrayError) -> [UInt8] {
        switch message {
        case .request(.submit(let submission)):
            try json(
                WireRequest(
                    job: submission.order,
                    weight: submission.weight,
                    priority: submission.priority,
                    submittedAt: submission.submittedAt
                )
            )
        case .request(.cancel(let id)): try json(WireRequest(id: id))
        case .job(let record): try json(record)
        case .task(let task): try json(task)
        case .result(let result): try json(WireResult(result), \.plainText)
        case .control(let record): try json(record)
        case .event(let event): try json(WireEvent(event), \.plainText)
        case .deadLetter(let letter): try json(letter)
        }
    }

    private static func decode(
        _ type: MessageType,
        _ value: [UInt8]
    ) throws(DrayError) -> Message {
        switch type {
        case .submit: return .request(.submit(try submission(value)))
        case .cancel:
            guard let id = try parse(WireRequest.self, value).id, JobID.isValid(id) else {
                throw DrayError(.corrupt, "the message's field \"id\" names no job")
            }
            return .request(.cancel(id))
        case .job:
            let record = try parse(JobRecord.self, value)
            _ = try checked(record.order)
            try check(count: record.epoch)
            guard Submission.weights.contains(record.weight) else { throw outOfLimits }
            return .job(record)
        case .task:
            let task = try parse(TaskMessage.self, value)
            _ = try checked(task.order)
            for count in [task.index, task.attempt, task.epoch] { try check(count: count) }
            return .task(task)
        case .control: return .control(try parse(ControlRecord.self, value))
        case .deadLetter: return .deadLetter(try parse(DeadLetter.self, value))
        case .started, .sized, .progress, .planned, .ranged, .sealed, .discarded, .failed,
            .cancelled:
            let result = try parse(WireResult.self, value, shortly: WireResult.init(plain:))
            for count in [result.index, result.attempt, result.epoch] { try check(count: count) }
            return .result(try result.message(type))
        case .jobSubmitted, .jobPlanned, .jobRange, .jobRetrying, .jobFinished, .jobFailed,
            .jobCancelled:
            let event = try parse(WireEvent.self, value, shortly: WireEvent.init(plain:))
            return .event(try event.message(type))
        }
    }

    private static func submission(_ value: [UInt8]) throws(DrayError) -> Submission {
        guard value.count <= Submission.largestRequest else {
            throw DrayError(.unsupported, "a request of \(value.count) bytes is too large")
        }
        let request = try parse(WireRequest.self, value)
        guard let order = request.job else {
            throw DrayError(.corrupt, "the message has no field \"job\"")
        }
        return Submission(
            try checked(order),
            weight: request.weight ?? 1,
            priority: request.priority ?? .normal,
            submittedAt: request.submittedAt
        )
    }

    private static func checked(_ order: JobOrder) throws(DrayError) -> JobOrder {
        guard JobID.isValid(order.id) else {
            throw DrayError(.invalid, "a job id is 1 to 64 letters, digits and dashes")
        }
        return order
    }

    /// Counts from a record are added to: they must leave room for that.
    private static func check(count: Int) throws(DrayError) {
        guard (0...Int(Int32.max)).contains(count) else { throw outOfLimits }
    }

    private static var outOfLimits: DrayError {
        DrayError(.corrupt, "a number of the message is out of its limits")
    }

    /// The short way of `plain`, where it goes, else the general one.
    private static func json<Value: Encodable>(
        _ value: Value,
        _ plain: KeyPath<Value, [UInt8]?>
    ) throws(DrayError) -> [UInt8] {
        if let text = value[keyPath: plain] { return text }
        return try json(value)
    }

    private static func json(_ value: some Encodable) throws(DrayError) -> [UInt8] {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .withoutEscapingSlashes
            return [UInt8](try encoder.encode(value))
        } catch {
            throw DrayError(.bug, "a message cannot be encoded: \(error)")
        }
    }

    /// Reads a value the short way, where that goes, else the general one.
    private static func parse<Value: Decodable>(
        _ type: Value.Type,
        _ value: [UInt8],
        shortly: ([UInt8]) -> Value? = { _ in nil }
    ) throws(DrayError) -> Value {
        if let known = shortly(value) { return known }
        guard JSONDepth.isAtMost(deepest, value) else {
            throw DrayError(.corrupt, "the record nests deeper than \(deepest)")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(value))
        } catch {
            throw DrayError(.corrupt, "the record cannot be read: \(error)")
        }
    }

    /// RFC 3339 in UTC, with milliseconds (days to date by Howard Hinnant's method).
    static func time(_ milliseconds: Int64) -> String {
        let day = Int(milliseconds / 86_400_000)
        let inDay = Int(milliseconds % 86_400_000)
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let date = dayOfYear - (153 * month + 2) / 5 + 1
        let calendarMonth = month < 10 ? month + 3 : month - 9
        let calendarYear = year + era * 400 + (calendarMonth <= 2 ? 1 : 0)
        func digits(_ value: Int, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let clock =
            "\(digits(inDay / 3_600_000, 2)):\(digits(inDay / 60_000 % 60, 2))"
            + ":\(digits(inDay / 1000 % 60, 2)).\(digits(inDay % 1000, 3))"
        return "\(digits(calendarYear, 4))-\(digits(calendarMonth, 2))-\(digits(date, 2))T\(clock)Z"
    }
}

/// The ids of jobs.
package enum JobID {
    /// The most bytes that an id may have.
    package static let longest = 64

    /// Whether a text is 1 to 64 letters, digits and dashes.
    package static func isValid(_ id: String) -> Bool {
        (1...longest).contains(id.utf8.count)
            && id.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || byte == 45
            }
    }
}
