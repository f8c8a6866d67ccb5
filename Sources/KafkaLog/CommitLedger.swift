// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TaskLog

/// What a member of a group has to commit, and what became of it: the newest place of each partition, one request at a time.
struct CommitLedger {
    /// How long after a failure that may pass the next attempt is made, in milliseconds.
    static let pause: Int64 = 200

    private var waiting: [PartitionID: LogPosition] = [:]
    /// Requests on their way, and the assignment that each is of.
    private var underWay: [(epoch: Int, places: [PartitionID: LogPosition])] = []
    private var epoch = 0
    private var isOpen = false
    private var earliest: Int64 = 0

    /// An assignment begins.
    mutating func begin() {
        epoch += 1
        isOpen = true
        waiting = [:]
    }

    /// The assignment is over: what was not sent is not ours to send.
    mutating func end() {
        isOpen = false
        waiting = [:]
    }

    mutating func add(_ place: LogPosition) {
        if isOpen { waiting[place.partition] = place }
    }

    /// Whether answers are to come.
    var isUnderWay: Bool { !underWay.isEmpty || (isOpen && !waiting.isEmpty) }

    /// When there is something to send that no event will announce.
    var nextTurn: Int64? { underWay.isEmpty && !waiting.isEmpty ? earliest : nil }

    /// What to send now.
    mutating func next(isLast: Bool) -> [LogPosition]? {
        guard isOpen, !waiting.isEmpty else { return nil }
        guard isLast || (underWay.isEmpty && LogClock.monotonicMilliseconds() >= earliest) else {
            return nil
        }
        defer { waiting = [:] }
        underWay.append((epoch, waiting))
        return Array(waiting.values)
    }

    /// Takes the answer to the oldest request. Returns what was refused for good, with the reason.
    @discardableResult
    mutating func answered(
        _ answers: [(LogPosition, KafkaCode)]
    ) -> [(LogPosition, KafkaCode)] {
        guard !underWay.isEmpty else { return [] }
        let request = underWay.removeFirst()
        var refused: [(LogPosition, KafkaCode)] = []
        for (answer, code) in answers where code != .none && !code.isFromThePast {
            let isOurs = request.epoch == epoch && isOpen && waiting[answer.partition] == nil
            guard let sent = request.places[answer.partition], isOurs else { continue }
            if code.mayPass {
                waiting[answer.partition] = sent
                earliest = LogClock.monotonicMilliseconds() + Self.pause
            } else if code == .metadataTooLarge {
                // The place alone still saves most of the work.
                waiting[answer.partition] = LogPosition(sent.partition, offset: sent.offset)
                refused.append((sent, code))
            } else {
                refused.append((sent, code))
            }
        }
        return refused
    }
}
