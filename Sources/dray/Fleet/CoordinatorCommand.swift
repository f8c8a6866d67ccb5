// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import Fleet
internal import KafkaLog

/// `dray coordinator`: a coordinator until it is told to stop.
enum CoordinatorCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let settings = try Settings(arguments)
        let lines = try ServiceLog(settings)
        let rules = try rules(settings)
        let connection = try FleetConnection(settings, role: "coordinator")
        // Before librdkafka starts its threads, which must not get the signals.
        let signals = try StopSignals.listen()
        let log = try KafkaLog(connection.kafka, onLog: lines.kafka)
        defer { log.close() }
        let topics = try Topics(of: log)
        let name = FleetConnection.uniqueName
        let process = RoleProcess()
        let service = CoordinatorService(
            log: log,
            settings: rules,
            topics: topics,
            name: name,
            restart: RestartPolicy(),
            observer: { note($0, process, lines) }
        )
        try service.start()
        lines.write(.info, "coordinator started", ["name": name, "fleet": "\(connection.kafka)"])
        let signal = try process.wait(signals)
        lines.write(.info, "stopping", ["signal": StopSignals.name(of: signal)])
        service.stop()
        lines.write(.info, "stopped")
        return ExitCode.success
    }

    private static func rules(_ settings: Settings) throws -> CoordinatorSettings {
        var rules = CoordinatorSettings { name throws(DrayError) in try BlkhashFolder(name) }
        rules.window = try settings.number(CoordinatorTable.window, in: 2...100_000) ?? rules.window
        rules.runLease = try settings.milliseconds(CoordinatorTable.runLease) ?? rules.runLease
        rules.queueLease =
            try settings.milliseconds(CoordinatorTable.queueLease) ?? rules.queueLease
        rules.retry.attempts =
            try settings.number(CoordinatorTable.attempts, in: 1...1000) ?? rules.retry.attempts
        rules.retry.base = try settings.milliseconds(CoordinatorTable.backoff) ?? rules.retry.base
        rules.retry.unendedStarts =
            try settings.number(CoordinatorTable.deaths, in: 1...1000) ?? rules.retry.unendedStarts
        if let days = try settings.number(CoordinatorTable.keepJobs, in: 0...36_500) {
            rules.retention?.jobs = Int64(days) * 86_400_000
        }
        return rules
    }

    private static func note(
        _ notice: CoordinatorService.Notice,
        _ process: RoleProcess,
        _ lines: ServiceLog
    ) {
        switch notice {
        case .planned(let job, let dataBytes, _):
            lines.write(.info, "job planned", ["job": job, "bytes": String(dataBytes)])
        case .ended(let record):
            let error = record.error?.description ?? ""
            lines.write(
                .info,
                "job ended",
                ["job": record.order.id, "state": record.state.rawValue, "error": error]
            )
        case .takenOver(let partition):
            lines.write(.info, "partition taken over", ["partition": String(partition)])
        case .takingAgain(let partition):
            lines.write(.info, "partition is taken again", ["partition": String(partition)])
        case .unreadable(let partition, let error):
            lines.write(
                .warning,
                "partition cannot be read yet",
                ["partition": String(partition), "error": error.description]
            )
        case .failure(let failure): process.note(failure, lines)
        }
    }
}
