// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// A role's hold on an ``EmbeddedLog``.
final class EmbeddedPort: LogPort {
    private let log: EmbeddedLog
    private let member: Int
    private let wakeUp: WakeUp

    init(log: EmbeddedLog, member: Int, wakeUp: WakeUp) {
        self.log = log
        self.member = member
        self.wakeUp = wakeUp
    }

    func poll(timeoutMilliseconds: Int, credits: Int) throws(DrayError) -> [LogEvent] {
        let events = try log.take(member, credits: credits)
        guard events.isEmpty, timeoutMilliseconds > 0 else { return events }
        wakeUp.wait(milliseconds: timeoutMilliseconds)
        return try log.take(member, credits: credits)
    }

    func produce(_ record: NewRecord, token: UInt64) {
        log.produce(record, token: token, from: member)
    }

    func commit(_ positions: [LogPosition]) { log.commit(positions, from: member) }

    func wake() { wakeUp.raise() }

    func close() { log.leave(member) }
}
