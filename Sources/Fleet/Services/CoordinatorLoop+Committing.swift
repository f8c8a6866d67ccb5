// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import TaskLog

extension CoordinatorLoop {
    private static let commitInterval: Milliseconds = 500
    /// After how long places are committed that have not changed: a commit may get lost.
    private static let wholeCommitInterval: Milliseconds = 30_000
    /// How long a coordinator that leaves waits for what it sent.
    private static let leaveTime: Milliseconds = 5000

    /// Commits the places that were noted before, once everything that was sent up to then is durable, and notes those of now: on a
    /// busy log something is always on its way.
    mutating func commit() {
        nextCommit = now + Self.commitInterval
        if let known = batch {
            guard undelivered.keys.min() ?? .max > known.token else { return }
            batch = nil
            send(known.places)
        }
        let places = currentPlaces()
        if !places.isEmpty { batch = (places, lastToken) }
    }

    /// Commits the places of partitions that go to someone else, as far as what was sent is durable: the log takes that until it is
    /// polled again, and who comes next need not read again what was done here.
    mutating func commit(leaving numbers: [Int]) {
        let oldest = undelivered.keys.min() ?? .max
        var places: [LogPosition] = []
        if undelivered.isEmpty {
            places = currentPlaces()
        } else if let batch, oldest > batch.token {
            places = batch.places
        }
        let news = places.filter {
            numbers.contains($0.partition.partition) && committed[$0.partition] != $0.offset
        }
        if !news.isEmpty { port.commit(news) }
    }

    /// Sees that what was sent is durable, and commits for the last time.
    mutating func leave() {
        let places = currentPlaces()
        let deadline = now + Self.leaveTime
        while !undelivered.isEmpty, now < deadline {
            do throws(DrayError) {
                for event in try port.poll(timeoutMilliseconds: 100, credits: 0) {
                    guard case .delivered(let token, let failure) = event else { continue }
                    guard failure == nil else { return }
                    undelivered[token] = nil
                }
            } catch {
                // Without a log there is nothing to commit to; whoever takes over reads a little more.
                return
            }
        }
        if undelivered.isEmpty { port.commit(places) }
    }

    private mutating func send(_ places: [LogPosition]) {
        let isWhole = now >= nextWholeCommit
        if isWhole { nextWholeCommit = now + Self.wholeCommitInterval }
        let news = places.filter { isWhole || committed[$0.partition] != $0.offset }
        guard !news.isEmpty else { return }
        port.commit(news)
        for place in news { committed[place.partition] = place.offset }
    }

    private func currentPlaces() -> [LogPosition] {
        let floors = state.floors()
        var places: [LogPosition] = []
        for (number, partition) in owned where partition.isTaken {
            if let floor = floors[number] {
                places.append(LogPosition(PartitionID(Topics.results, number), offset: floor))
            }
            let jobs = PartitionID(Topics.jobs, number)
            places.append(LogPosition(jobs, offset: partition.jobs.next))
            if let offset = partition.requests {
                places.append(LogPosition(PartitionID(Topics.requests, number), offset: offset))
            }
        }
        return places
    }
}
