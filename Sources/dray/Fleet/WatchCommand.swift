// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import Fleet
internal import FoundationEssentials
internal import TaskLog

/// `dray watch`: a job's events, from its beginning to its end.
enum WatchCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let isJSON = try arguments.wantsJSON(.fleetOutput)
        let style = try ProgressStyle(arguments)
        let isQuiet = arguments.has(.quiet)
        let signals = try StopSignals.listen()
        return try FleetConnection.withClient(arguments) { client in
            let id = arguments.positionals[0]
            guard let follower = try client.follower(of: id) else { throw unknown(id) }
            let ends = try JobWait(follower, signals, ProgressDisplay(style)).run { event, record in
                if isJSON {
                    try StandardOutput.write(EventText.json(record) + "\n")
                } else if !isQuiet, let line = EventText.line(event, record) {
                    if case .bar = style { StandardError.write("\r\u{1B}[K") }
                    try StandardOutput.write(line + "\n")
                }
            }
            guard let record = ends[id] else {
                throw DrayError(.bug, "the job ended without a record")
            }
            let end = JobEnd(record)
            if let message = end.message { StandardError.report("watch: \(message)") }
            return end.code
        }
    }

    /// What to say where there is no job `id`.
    static func unknown(_ id: String) -> DrayError {
        DrayError(.invalid, "the fleet knows no job '\(id)'; 'dray jobs' lists them")
    }
}

/// `dray cancel`.
enum CancelCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let id = arguments.positionals[0]
        return try FleetConnection.withClient(arguments) { client in
            if let state = try client.job(id)?.content.state {
                guard !state.isEnd else {
                    StandardError.report("cancel: the job has ended: \(state.rawValue)")
                    return ExitCode.success
                }
            } else if try client.pendingSubmission(id) == nil {
                throw WatchCommand.unknown(id)
            }
            try client.send([.cancel(id)])
            return ExitCode.success
        }
    }
}
