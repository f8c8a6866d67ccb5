// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import Fleet
internal import KafkaLog

/// `dray worker`: a worker until it is told to stop.
enum WorkerCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let settings = try Settings(arguments)
        let lines = try ServiceLog(settings)
        let rules = try rules(settings)
        let runner = try StoreRunner(stores: stores(settings), delayMilliseconds: delay(arguments))
        let connection = try FleetConnection(settings, role: "worker")
        // Before librdkafka starts its threads, which must not get the signals.
        let signals = try StopSignals.listen()
        let log = try KafkaLog(connection.kafka, onLog: lines.kafka)
        defer { log.close() }
        let process = RoleProcess()
        let service = WorkerService(
            log: log,
            settings: rules,
            topics: try Topics(of: log),
            runner: runner,
            cancel: CancelToken(),
            meter: ProgressMeter(),
            restart: RestartPolicy(),
            observer: { note($0, process, lines) }
        )
        try service.start()
        lines.write(.info, "worker started", ["name": rules.name, "fleet": "\(connection.kafka)"])
        let signal = try process.wait(signals)
        lines.write(.info, "draining", ["signal": StopSignals.name(of: signal)])
        service.stop()
        lines.write(.info, "stopped")
        return ExitCode.success
    }

    private static func note(
        _ notice: WorkerService.Notice,
        _ process: RoleProcess,
        _ lines: ServiceLog
    ) {
        switch notice {
        case .assigned(let partitions):
            lines.write(.info, "tasks assigned", ["partitions": String(partitions.count)])
        case .revoked(let partitions):
            lines.write(.info, "tasks revoked", ["partitions": String(partitions.count)])
        case .leftBehind: lines.write(.warning, "steps still run after the grace time")
        case .failure(let failure): process.note(failure, lines)
        }
    }

    private static func rules(_ settings: Settings) throws -> WorkerSettings {
        let slots =
            try settings.number(WorkerTable.workers, in: 1...64) ?? JobService.processors + 1
        var rules = WorkerSettings(name: FleetConnection.uniqueName, slots: slots)
        rules.grace = try settings.milliseconds(WorkerTable.grace) ?? rules.grace
        rules.heartbeat = try settings.milliseconds(WorkerTable.heartbeat) ?? rules.heartbeat
        return rules
    }

    private static func stores(
        _ settings: Settings
    ) throws(UsageError) -> [(name: String, directory: String)] {
        let list = try KeyValueList(settings.values(WorkerTable.store), for: "--store")
        guard !list.entries.isEmpty else { throw UsageError("no store: give --store NAME=DIR") }
        return list.entries.map { ($0.key, $0.value) }
    }

    private static func delay(_ arguments: ParsedArguments) throws(UsageError) -> Int {
        guard let text = arguments.value(WorkerTable.injectDelay) else { return 0 }
        guard let delay = Int(text), (0...10_000).contains(delay) else {
            throw UsageError("--inject-delay: '\(text)' is not a number from 0 to 10000")
        }
        return delay
    }
}
