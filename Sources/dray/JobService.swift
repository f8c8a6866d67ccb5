// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import DiskImage
internal import Fleet
internal import Glibc

/// Runs jobs on this machine for a command: a fleet in this process, stopped by signals.
struct JobService {
    /// A job was stopped by this signal, and has cleaned up.
    struct Stopped: Error {
        let signal: Int32
    }

    private let signals: StopSignals
    private let gate: any ReferenceGate
    private let workers: Int

    /// The service that the options of a command ask for. Begins to listen for signals: made once a process.
    init(_ arguments: ParsedArguments) throws {
        gate = try arguments.gate()
        workers = try arguments.workers() ?? Self.processors + 1
        signals = try StopSignals.listen()
    }

    /// Runs a job to its end, with its log in `journal` if that is given. Throws the job's error, or ``Stopped``.
    func run(
        _ spec: JobSpec,
        journal: String? = nil,
        progress: ProgressDisplay
    ) throws -> JobOutcome {
        do {
            let report = try LocalFleet(slots: workers, journal: journal).run(
                spec,
                runner: LocalRunner(gate: gate),
                cancel: signals.token,
                onProgress: { progress.update(done: $0.done, total: $0.total) }
            )
            progress.finish(total: report.plan.dataBytes)
            return report.outcome
        } catch {
            progress.abandon()
            if error.kind == .cancelled, let signal = signals.received {
                throw Stopped(signal: signal)
            }
            throw error
        }
    }

    /// How many processors there are.
    static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
