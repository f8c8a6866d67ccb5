// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Synchronization

/// Shows how far a job is. Told from any thread; writes at most ten times a second.
final class ProgressDisplay: Sendable {
    private struct State {
        var first: ProgressSample?
        var lastShown: ContinuousClock.Instant?
        var isShown = false
    }

    private let style: ProgressStyle
    private let state = Mutex(State())
    private static let interval = Duration.milliseconds(100)

    /// A display of this style.
    init(_ style: ProgressStyle) { self.style = style }

    /// Says that `done` of `total` bytes of data are done; a total of 0 is not known yet.
    func update(done: UInt64, total: UInt64) {
        guard total > 0 else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            let sample = ProgressSample(done: min(done, total), total: total, time: now)
            let first = state.first ?? sample
            state.first = first
            if let last = state.lastShown, now - last < Self.interval { return }
            state.lastShown = now
            state.isShown = true
            show(ProgressLine(sample, since: first))
        }
    }

    /// Ends the display: with everything done where the job `succeeded`.
    func finish(succeeded: Bool) {
        state.withLock { state in
            let now = ContinuousClock.now
            let first = state.first ?? ProgressSample(done: 0, total: 0, time: now)
            if succeeded {
                let last = ProgressSample(done: first.total, total: first.total, time: now)
                show(ProgressLine(last, since: first))
                state.isShown = true
            }
            if state.isShown { endLine() }
        }
    }

    private func show(_ line: ProgressLine) {
        switch style {
        case .none: break
        case .bar:
            StandardError.write("\r" + line.bar(width: Terminal.width) + "\u{1B}[K")
        case .percent(let descriptor):
            StandardStream.write("    (\(line.percent)/100%)\r", to: descriptor)
        case .json: StandardError.write(line.json + "\n")
        }
    }

    private func endLine() {
        switch style {
        case .none, .json: break
        case .bar: StandardError.write("\n")
        case .percent(let descriptor): StandardStream.write("\n", to: descriptor)
        }
    }
}
