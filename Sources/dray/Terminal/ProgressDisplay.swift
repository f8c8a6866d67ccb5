// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Synchronization

/// Shows how far a job is. Told from any thread; writes at most ten times a second.
final class ProgressDisplay: Sendable {
    private struct State {
        var first: ProgressSample?
        var lastShown: ContinuousClock.Instant?
        var lastPercent = ""
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
            show(ProgressLine(sample, since: first), &state)
        }
    }

    /// Ends the display of a job that did all of its `total` bytes of data.
    func finish(total: UInt64) {
        state.withLock { state in
            let sample = ProgressSample(done: total, total: total, time: .now)
            show(ProgressLine(sample, since: state.first ?? sample), &state)
            endLine()
        }
    }

    /// Ends the display of a job that failed: what was shown last stays.
    func abandon() {
        state.withLock { state in
            if state.lastShown != nil { endLine() }
        }
    }

    private func show(_ line: ProgressLine, _ state: inout State) {
        switch style {
        case .none: break
        case .bar:
            StandardError.write("\r" + line.bar(width: Terminal.width) + "\u{1B}[K")
        case .percent(let descriptor):
            // A pipe or a log keeps every line: one is enough for each state.
            guard line.percent != state.lastPercent else { return }
            state.lastPercent = line.percent
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
