// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CLinux
internal import Glibc
internal import Synchronization

/// Finds data and holes with SEEK_DATA and SEEK_HOLE (lseek(2)), and remembers the runs found last, so that asking inside
/// one of them costs no system call.
///
/// "All data" is the answer where the file system does not know, and where it is slow: see ``ExtentPatience``.
final class ExtentFinder: Sendable {
    private struct Run {
        let range: Range<UInt64>
        let isData: Bool
    }

    private struct State {
        /// The runs found last; more than one, because each thread works at a place of its own.
        var runs: [Run] = []
        var nextToReplace = 0
        var patience = ExtentPatience.short
        var questions = 0
    }

    private static let runsKept = 64
    private let descriptor: FileDescriptor
    private let remembersRuns: Bool
    private let state = Mutex(State())

    /// `remembersRuns` is for files that nobody writes through us.
    init(_ descriptor: FileDescriptor, remembersRuns: Bool) {
        self.descriptor = descriptor
        self.remembersRuns = remembersRuns
    }

    /// The run of one state from `offset`, which lies before `length`.
    func extent(at offset: UInt64, limit: UInt64, length: UInt64) -> StorageExtent {
        let longest = min(limit, length - offset)
        let (known, isAsking) = state.withLock { state in
            (state.runs.first { $0.range.contains(offset) }, state.patience.isAsking)
        }
        if let known { return clip(known, offset, longest) }
        guard isAsking else { return StorageExtent(isData: true, length: longest) }
        let start = Moment.now
        let found = ask(offset, length: length)
        remember(found, since: start)
        guard let first = found.first else { return StorageExtent(isData: true, length: longest) }
        return clip(first, offset, longest)
    }

    /// Forgets what was found, and asks on with `patience`.
    func begin(with patience: ExtentPatience) {
        state.withLock {
            $0.patience = patience
            $0.runs = []
            $0.nextToReplace = 0
        }
    }

    /// Whether asking has stopped for the time it took.
    var wasTooSlow: Bool { state.withLock { $0.patience.isOver } }

    /// How often the file system was asked: at most two system calls each.
    var questions: Int { state.withLock { $0.questions } }

    private func clip(_ run: Run, _ offset: UInt64, _ longest: UInt64) -> StorageExtent {
        StorageExtent(isData: run.isData, length: min(longest, run.range.upperBound - offset))
    }

    /// The run at `offset`, or nothing where the file system does not know.
    private func ask(_ offset: UInt64, length: UInt64) -> [Run] {
        switch systemCall({ lseek(descriptor.number, off_t(offset), dray_SEEK_DATA) }) {
        case .success(let place):
            let data = min(UInt64(clamping: place), length)
            if data > offset { return [Run(range: offset..<data, isData: false)] }
        case .failure(let error) where error.number == ENXIO:
            // No data from here on; or the file has become shorter, which its identity tells whoever compares it.
            return [Run(range: offset..<length, isData: false)]
        case .failure:
            return []
        }
        switch systemCall({ lseek(descriptor.number, off_t(offset), dray_SEEK_HOLE) }) {
        case .success(let place):
            let hole = min(UInt64(clamping: place), length)
            // Nothing between the two answers: somebody changed the file in between. Data is always a right answer.
            return hole > offset ? [Run(range: offset..<hole, isData: true)] : []
        case .failure:
            return []
        }
    }

    private func remember(_ found: [Run], since start: Moment) {
        let now = Moment.now
        state.withLock { state in
            state.questions += 1
            guard let run = found.first else {
                state.patience.giveUp()
                return
            }
            state.patience.record(
                processor: now.processor - start.processor,
                elapsed: now.clock - start.clock,
                bytes: UInt64(run.range.count)
            )
            guard remembersRuns else { return }
            if state.runs.count < Self.runsKept {
                state.runs.append(run)
            } else {
                state.runs[state.nextToReplace] = run
                state.nextToReplace = (state.nextToReplace + 1) % Self.runsKept
            }
        }
    }
}

/// What two clocks show, in ns.
private struct Moment {
    /// The processor time of this thread.
    let processor: UInt64
    let clock: UInt64

    static var now: Moment {
        Moment(processor: read(CLOCK_THREAD_CPUTIME_ID), clock: read(CLOCK_MONOTONIC))
    }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var now = timespec()
        // Both clocks always exist; were the call to fail, no time would seem to pass.
        _ = unsafe clock_gettime(clock, &now)
        return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
    }
}
