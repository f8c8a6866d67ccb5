// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import Conversion
import Fleet
import TaskLog

/// A coordinator process: the real state machine, driven as the service drives it.
final class SimulatedCoordinator: SimulatedNode {
    private var state: CoordinatorState
    private(set) var owned: Set<Int> = []
    private var positions: [PartitionID: Int64] = [:]
    private var replayEnds: [Int: Int64] = [:]
    private var lastToken = 0
    private var undelivered: Set<Int> = []
    private var requestsDone: [Int: (offset: Int64, token: Int)] = [:]

    init(number: Int, world: Simulation) {
        state = CoordinatorState(settings: world.settings, topics: world.topics)
        super.init(name: "coordinator-\(number)", world: world)
    }

    override func begin() {
        state = CoordinatorState(settings: world.settings, topics: world.topics)
        owned = []
        positions = [:]
        replayEnds = [:]
        undelivered = []
        requestsDone = [:]
        wake(1)
    }

    override func stopped() { owned = [] }

    override func thawed() {
        // It acts once more on what it believes before it learns that it was replaced.
        poll()
        for number in owned.sorted() where world.owner(number) !== self { take(number) }
        world.rebalanceCoordinators()
    }

    func give(_ number: Int) {
        owned.insert(number)
        let results = world.log.committed(PartitionID(Topics.results, number))
        tell(.taken(partition: number, from: results.offset))
        let jobs = PartitionID(Topics.jobs, number)
        for message in world.log.records(jobs, from: 0, limit: .max / 2) {
            if case .job(let record) = message { tell(.jobRecord(record)) }
        }
        positions[jobs] = world.log.end(jobs)
        for topic in [Topics.results, Topics.requests] {
            let partition = PartitionID(topic, number)
            positions[partition] = world.log.committed(partition).offset
        }
        replayEnds[number] = world.log.end(PartitionID(Topics.results, number))
        endReplay(number)
        wake(1)
    }

    func take(_ number: Int) {
        guard owned.remove(number) != nil else { return }
        tell(.lost(partition: number))
        replayEnds[number] = nil
        requestsDone[number] = nil
    }

    override func poll() {
        for number in owned.sorted() {
            for message in read(Topics.jobs, number) {
                if case .job(let record) = message { tell(.jobRecord(record)) }
            }
            readResults(number)
            guard replayEnds[number] == nil else { continue }
            for message in read(Topics.requests, number) {
                if case .request(let request) = message { tell(.request(request)) }
                let position = positions[PartitionID(Topics.requests, number)] ?? 0
                requestsDone[number] = (position, lastToken)
            }
        }
        tell(.tick)
        commit()
        let next = state.nextTick ?? .max
        wake(min(max(next, world.now + 1), world.now + 400) - world.now)
    }

    private func readResults(_ number: Int) {
        let partition = PartitionID(Topics.results, number)
        var offset = positions[partition] ?? 0
        for message in read(Topics.results, number) {
            if case .result(let result) = message { tell(.result(result, offset: offset)) }
            offset += 1
            guard owned.contains(number) else { return }
        }
        endReplay(number)
    }

    private func endReplay(_ number: Int) {
        let partition = PartitionID(Topics.results, number)
        guard let end = replayEnds[number], positions[partition] ?? 0 >= end else { return }
        replayEnds[number] = nil
        tell(.rebuilt(partition: number))
    }

    private func read(_ topic: String, _ number: Int) -> ArraySlice<Message> {
        let partition = PartitionID(topic, number)
        let start = positions[partition] ?? 0
        let messages = world.log.records(partition, from: start, limit: 100)
        positions[partition] = start + Int64(messages.count)
        if messages.count == 100 { wake(1) }
        return messages
    }

    private func tell(_ event: CoordinatorEvent) {
        for action in state.handle(event, now: world.now) {
            switch action {
            case .issue(let task, let place): send(.task(task), place, nil)
            case .record(let record):
                let id = record.order.id
                let next = CoordinatorEvent.recorded(
                    job: id,
                    record.state,
                    epoch: record.epoch
                )
                send(.job(record), world.place(Topics.jobs, id), next)
            case .control(let record): send(.control(record), world.control, nil)
            case .event(let event, let mark):
                let next = mark.map { CoordinatorEvent.published(job: event.job, $0) }
                send(.event(event), world.place(Topics.events, event.job), next)
            case .deadLetter(let letter): send(.deadLetter(letter), world.deadLetters, nil)
            case .planned, .ended: break
            case .takeAgain(let number):
                take(number)
                // The process joins its group anew, and may learn that it has been replaced.
                if world.owner(number) === self { give(number) }
            }
        }
    }

    private func send(_ message: Message, _ partition: PartitionID, _ next: CoordinatorEvent?) {
        lastToken += 1
        let token = lastToken
        undelivered.insert(token)
        world.send(message, to: partition, from: self) { [unowned self] _ in
            undelivered.remove(token)
            if let next {
                tell(next)
                tell(.tick)
                wake(1)
            }
        }
    }

    private func commit() {
        let oldest = undelivered.min() ?? .max
        for number in owned.sorted() where world.owner(number) === self {
            if let done = requestsDone[number], oldest > done.token {
                world.log.commit(
                    LogPosition(PartitionID(Topics.requests, number), offset: done.offset)
                )
                requestsDone[number] = nil
            }
            guard undelivered.isEmpty, let floor = state.floors()[number] else { continue }
            let partition = PartitionID(Topics.results, number)
            let place = world.mutation == .commitsTooFar ? positions[partition] ?? 0 : floor
            world.log.commit(LogPosition(partition, offset: place))
        }
    }
}
