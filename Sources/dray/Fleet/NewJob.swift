// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import Fleet
internal import Storage
internal import TaskLog

/// A job that a person is about to submit.
struct NewJob {
    /// What is asked for.
    let submission: Submission
    /// What the user calls what it is about: the image, or the target.
    let name: String
    /// Whether the user chose the id: then it may have been used before.
    let isNamed: Bool

    /// The jobs that a command line of 'dray submit convert' or 'dray submit checksum' asks for.
    static func all(_ arguments: ParsedArguments) throws -> [NewJob] {
        let specs =
            if arguments.command.name == SubmitTable.convert.name {
                [try conversion(arguments)]
            } else {
                try arguments.positionals.map { path in try ChecksumCommand.spec(path, arguments) }
            }
        let id = arguments.value(SubmitTable.id)
        guard id == nil || specs.count == 1 else {
            throw UsageError("--id names one job, and these are \(specs.count)")
        }
        return try specs.map { spec in try NewJob(spec, id: id, arguments) }
    }

    private init(_ spec: JobSpec, id: String?, _ arguments: ParsedArguments) throws {
        var spec = spec
        let directories = arguments.values(SubmitTable.allowReferences)
        spec.references = directories.isEmpty ? nil : directories
        isNamed = id != nil
        let id = id ?? Self.freshID()
        guard JobID.isValid(id) else {
            throw UsageError("--id: '\(id)' is not 1 to 64 letters, digits and dashes")
        }
        let text = arguments.value(SubmitTable.priority) ?? JobPriority.normal.rawValue
        guard let priority = JobPriority(rawValue: text) else {
            throw UsageError("--priority: '\(text)' is not high, normal or bulk")
        }
        let number = arguments.value(SubmitTable.weight) ?? "1"
        guard let weight = Int(number), Submission.weights.contains(weight) else {
            throw UsageError("--weight: '\(number)' is not a number from 1 to 100")
        }
        name = spec.target?.path ?? spec.sources[0].path
        submission = Submission(
            JobOrder(id: id, spec: spec),
            weight: weight,
            priority: priority,
            submittedAt: LogClock.wallMilliseconds()
        )
    }

    /// The job of dead letter `letter` once more, under an id that follows from both.
    init(again old: JobOrder, letter: String) {
        let suffix = "-again" + letter
        let id = old.id.prefix(64 - suffix.utf8.count) + suffix
        name = old.spec.target?.path ?? ""
        isNamed = true
        submission = Submission(
            JobOrder(id: String(id), spec: old.spec),
            submittedAt: LogClock.wallMilliseconds()
        )
    }

    /// The job's id.
    var id: String { submission.order.id }

    /// A conversion as a fleet does it: hashed on the way, and durable range by range.
    private static func conversion(_ arguments: ParsedArguments) throws -> JobSpec {
        var spec = try ConvertRequest(arguments).spec
        if !arguments.has(ConvertTable.digest) { spec.digest = "sha256" }
        let isUnsafe = arguments.value(SubmitTable.targetCache) == CacheMode.unsafe.rawValue
        spec.target?.isDurable = !isUnsafe
        return spec
    }

    /// An id that no other job has, and that sorts by time: milliseconds since 1970 and 60 random bits.
    private static func freshID() -> String {
        let time = String(LogClock.wallMilliseconds(), radix: 36)
        let salt = String(UInt64.random(in: 0..<(1 << 60)), radix: 36)
        return time + "-" + String(repeating: "0", count: 12 - salt.count) + salt
    }
}
