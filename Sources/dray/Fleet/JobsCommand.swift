// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import Fleet
internal import TaskLog

/// `dray jobs`: what the fleet has to do and has done.
enum JobsCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let isJSON = try arguments.wantsJSON(.fleetOutput)
        let states = try arguments.values(JobsTable.state).map { text throws(UsageError) in
            guard let state = JobRecord.State(rawValue: text) else {
                throw UsageError("--state: '\(text)' is no state of a job")
            }
            return state
        }
        return try FleetConnection.withClient(arguments) { client in
            let jobs = try client.jobs()
                .filter { states.isEmpty || states.contains($0.content.state) }
                .sorted { ($0.time, $0.content.order.id) < ($1.time, $1.content.order.id) }
            try StandardOutput.write(isJSON ? json(jobs.map(\.record)) : table(jobs))
            return ExitCode.success
        }
    }

    /// The records' values in one JSON array, a line each.
    static func json(_ records: [LogRecord]) -> String {
        let lines = records.map { String(decoding: $0.value ?? [], as: UTF8.self) }
        return lines.isEmpty ? "[]\n" : "[\n" + lines.joined(separator: ",\n") + "\n]\n"
    }

    private static func table(_ jobs: [FleetClient.Found<JobRecord>]) -> String {
        let rows = jobs.map { job in
            let record = job.content
            let spec = record.order.spec
            return [
                record.order.id, record.state.rawValue, spec.kind.rawValue,
                EventText.time(job.time),
                record.plan.map { HumanSize.text($0.dataBytes) } ?? "-",
                (spec.target?.path ?? spec.sources.first?.path ?? "").escapingControls,
                record.error.map { "(\($0))" } ?? "",
            ]
        }
        return TextTable(["JOB", "STATE", "KIND", "SUBMITTED", "DATA", "IMAGE", ""], rows).text
    }
}

extension FleetClient.Found<JobRecord> {
    /// When the job was submitted, in milliseconds since 1970.
    var time: Int64 { content.submittedAt ?? record.timestamp }
}
