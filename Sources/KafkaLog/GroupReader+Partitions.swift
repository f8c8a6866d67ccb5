// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CRdKafka
internal import TaskLog

/// Partitions come and go.
extension GroupReader {
    /// How long one attempt to learn the places of new partitions may take, in milliseconds.
    private static let arrivalWait = 500

    /// Learns where the group left the partitions that it has given us, reports that, and reads on from there. The group
    /// waits for our answer only with its next rebalance, so that trying again, while no broker answers, loses nothing.
    func arrive(_ events: inout [LogEvent]) throws(DrayError) {
        let now = LogClock.monotonicMilliseconds()
        guard let partitions = arriving, now >= arrivalRetry else { return }
        let places: [LogPosition]
        do throws(KafkaFailure) {
            places = try startingPlaces(partitions)
        } catch {
            guard error.code.mayPass || error.code.isFromThePast else {
                throw error.error("cannot take partitions over")
            }
            lines.add(4, "group \(subscription.group): taking partitions over: \(error.text)")
            arrivalRetry = LogClock.monotonicMilliseconds() + 200
            return
        }
        do throws(KafkaFailure) {
            try handle.assign(places)
        } catch {
            throw error.error("cannot take partitions over")
        }
        arriving = nil
        owned = Set(partitions)
        commits.begin()
        for partition in partitions where subscription.metered[partition.topic] != nil {
            metered.add(partition, of: handle, signal)
        }
        events.append(.assigned(places))
    }

    /// Where to begin: where the group left off; else, or where that is no more, at the first record.
    private func startingPlaces(
        _ partitions: [PartitionID]
    ) throws(KafkaFailure) -> [LogPosition] {
        guard !partitions.isEmpty else { return [] }
        let committed = try handle.committed(partitions, milliseconds: Self.arrivalWait)
        let starts = try bounds(partitions, KafkaTime.start)
        let ends = try bounds(partitions, KafkaTime.end)
        return committed.map { place in
            let start = starts[place.partition] ?? 0
            guard place.offset >= 0 else { return LogPosition(place.partition, offset: start) }
            if (start...max(start, ends[place.partition] ?? start)).contains(place.offset) {
                return place
            }
            let name = "\(handle.names.full(place.partition.topic))/\(place.partition.partition)"
            lines.add(
                2,
                "\(name): the group was at \(place.offset), but the records there are gone: "
                    + "going on from \(start)"
            )
            return LogPosition(place.partition, offset: start)
        }
    }

    private func bounds(
        _ partitions: [PartitionID],
        _ time: Int64
    ) throws(KafkaFailure) -> [PartitionID: Int64] {
        let found = try handle.offsets(
            partitions.map { ($0, time) },
            milliseconds: Self.arrivalWait
        )
        return Dictionary(found.map { ($0.partition, $0.offset) }) { first, _ in first }
    }

    /// Tells of partitions that are taken back; the group gets its answer with the next turn.
    func revoke(_ partitions: [PartitionID], _ events: inout [LogEvent]) throws(DrayError) {
        let wasReported = arriving == nil
        arriving = nil
        isLeaving = true
        // What librdkafka calls lost may be someone else's already: committing it would only confuse.
        let isLost = unsafe rd_kafka_assignment_lost(handle.raw) != 0
        if isLost {
            owned = []
            commits.end()
        }
        guard wasReported, !partitions.isEmpty else { return try leave() }
        events.append(.revoked(partitions, isLost: isLost))
    }

    /// Answers the group that its partitions are free.
    func leave() throws(DrayError) {
        isLeaving = false
        owned = []
        commits.end()
        metered.clear()
        do throws(KafkaFailure) {
            try handle.unassign()
        } catch {
            throw error.error("cannot hand partitions over")
        }
    }

    /// Commits these places, or newer ones in their stead.
    func commit(_ places: [LogPosition]) {
        for place in places where owned.contains(place.partition) { commits.add(place) }
        sendCommits(isLast: isLeaving)
    }

    /// Sends what is to be committed, one request after the other; the last ones of an assignment at once.
    func sendCommits(isLast: Bool = false) {
        guard let queue, let places = commits.next(isLast: isLast) else { return }
        do throws(KafkaFailure) {
            try handle.commit(places, to: queue)
        } catch {
            commits.answered(places.map { ($0, error.code) })
        }
    }

    /// Takes the answer to a commit.
    func take(_ code: KafkaCode, _ places: [(place: LogPosition, code: KafkaCode)]) {
        let answers = places.map { ($0.place, $0.code == .none ? code : $0.code) }
        for failed in commits.answered(answers) {
            let name =
                "\(handle.names.full(failed.0.partition.topic))/\(failed.0.partition.partition)"
            lines.add(4, "a commit for \(name) was not taken: \(failed.1.text)")
        }
    }
}
