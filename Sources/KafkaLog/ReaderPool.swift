// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Synchronization
internal import TaskLog

/// Readers at rest, for the next one who wants to read: making one takes longer than most reads.
final class ReaderPool: Sendable {
    /// How many readers rest.
    static let limit = 4
    /// How long one rests, in milliseconds.
    static let rest: Int64 = 60_000

    private let settings: KafkaSettings
    private let resting = Mutex<[RecordReader]>([])

    init(_ settings: KafkaSettings) { self.settings = settings }

    func take(isShort: Bool) throws(DrayError) -> RecordReader {
        let rested = resting.withLock { resting in
            resting.lastIndex { $0.isShort == isShort }.map { resting.remove(at: $0) }
        }
        if let rested { return rested }
        return try RecordReader(settings, isShort: isShort)
    }

    func give(_ reader: RecordReader) {
        reader.rest()
        let isKept =
            reader.isUsable
            && resting.withLock { resting in
                guard resting.count < Self.limit else { return false }
                resting.append(reader)
                return true
            }
        if !isKept { reader.close() }
    }

    /// Looks after those that rest: lets their events go, and those that rested for long.
    func tidy() {
        let now = LogClock.monotonicMilliseconds()
        let tired = resting.withLock { resting -> [RecordReader] in
            for reader in resting { reader.forget() }
            let tired = resting.filter { now - $0.restingSince > Self.rest }
            resting.removeAll { now - $0.restingSince > Self.rest }
            return tired
        }
        for reader in tired { reader.close() }
    }

    func close() {
        let all = resting.withLock { resting in
            defer { resting = [] }
            return resting
        }
        for reader in all { reader.close() }
    }
}
