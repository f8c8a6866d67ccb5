// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import Fleet
import TaskLog
import TestSupport

/// Coordinators and workers over a log, all of which may fail, in simulated time. One seed replays all of it.
final class Simulation {
    /// When things stop going wrong.
    static let calm: Milliseconds = 8000
    /// How long jobs may take from then on.
    static let patience: Milliseconds = 120_000

    /// How much may happen: usual are a thousand steps.
    static let mostSteps = 50_000

    let faults: Faults
    let mutation: Mutation?
    let topics = Topics(jobPartitions: 2, taskPartitions: 3)
    let control = PartitionID(Topics.control, 0)
    let deadLetters = PartitionID(Topics.deadLetters, 0)
    let log = SimulatedLog()
    var settings: CoordinatorSettings
    var jobs: [String: SimulatedJob] = [:]
    var violations: [String] = []
    private(set) var workerGeneration = 0
    private var time = SimulatedTime()
    private var generator: SeededGenerator
    private var workers: [SimulatedWorker] = []
    private var coordinators: [SimulatedCoordinator] = []
    private var owners: [Int: SimulatedCoordinator] = [:]
    private var lastSent: [String: Milliseconds] = [:]
    private var cuts: Set<String> = []
    private var isCalm = false

    init(seed: UInt64, faults: Faults? = nil, mutation: Mutation? = nil) {
        var random = SeededGenerator(seed: seed)
        let chosen = Faults(&random)
        self.faults = faults ?? chosen
        self.mutation = mutation
        settings = CoordinatorSettings { _ in SimulatedFolder() }
        settings.window = 8
        settings.reach = 2
        settings.retry = RetryPolicy(attempts: 5, base: 50, cap: 500, unendedStarts: 3)
        settings.queueLease = 2000
        settings.runLease = 1000
        settings.longestLease = 8000
        settings.drain = 2000
        settings.takenDrain = 500
        settings.eventMarkInterval = 3
        for number in 0..<Int.random(in: 1...4, using: &random) {
            let job = SimulatedJob(number: number, faults: self.faults, &random)
            jobs[job.order.id] = job
        }
        generator = random
        let workerCount = Int.random(in: 1...3, using: &generator)
        workers = (0..<workerCount).map { SimulatedWorker(number: $0, world: self) }
    }

    var now: Milliseconds { time.now }

    /// From now on no task is issued again because it takes long. To be called before anything runs.
    func endLeases() {
        settings.queueLease = 1 << 40
        settings.runLease = 1 << 40
    }

    /// How many things have happened.
    var steps: Int { time.steps }

    /// Runs to the end and says what the jobs came to, by state.
    func run() -> [JobRecord.State: Int] {
        log.onAppend = { [unowned self] in appended($0) }
        coordinators = (0..<2).map { SimulatedCoordinator(number: $0, world: self) }
        for id in jobs.keys.sorted() { submit(id) }
        rebalanceWorkers()
        rebalanceCoordinators()
        scheduleFaults()
        at(Self.calm) { [unowned self] in becomeCalm() }
        let end = Self.calm + Self.patience
        var overSince: Milliseconds?
        while let body = time.next(before: end) {
            body()
            if time.steps > Self.mostSteps {
                violations.append("the fleet does not come to rest")
                break
            }
            guard isCalm, time.steps % 64 == 0 else { continue }
            if overSince == nil, isOver { overSince = now }
            if let overSince, now > overSince + 4000 { break }
        }
        return Verdict(self).check()
    }

    // MARK: chance

    func random(_ range: ClosedRange<Milliseconds>) -> Milliseconds {
        Milliseconds.random(in: range, using: &generator)
    }

    /// Whether something that goes wrong in `percent` of cases goes wrong now.
    func chance(_ percent: Int) -> Bool { !isCalm && self.percent(percent) }

    func percent(_ percent: Int) -> Bool {
        percent > 0 && Int.random(in: 0..<100, using: &generator) < percent
    }

    func at(_ delay: Milliseconds, _ body: @escaping () -> Void) {
        time.at(now + delay, body)
    }

    // MARK: the log

    func results(_ job: String) -> PartitionID { place(Topics.results, job) }

    func place(_ topic: String, _ job: String) -> PartitionID {
        PartitionID(topic, topics.partition(ofJob: job))
    }

    /// Sends a record as a node of the fleet. A worker's may be refused, overtake each other or come twice;
    /// a coordinator's keep their order in each partition and are sent until they are in the log.
    func send(
        _ message: Message,
        to partition: PartitionID,
        from node: SimulatedNode,
        _ done: @escaping (Bool) -> Void
    ) {
        let incarnation = node.incarnation
        let isCoordinator = node is SimulatedCoordinator
        var delay = random(1...Milliseconds(isCalm ? 5 : faults.delay))
        if isCoordinator, !(mutation == .shufflesEvents && partition.topic == Topics.events) {
            let key = "\(node.name)/\(partition.topic)/\(partition.partition)"
            delay = max(delay, (lastSent[key] ?? 0) - now)
            lastSent[key] = now + delay
        }
        let isRefused = !isCoordinator && chance(faults.refused)
        let isAckLost = !isCoordinator && chance(faults.lostAcks)
        let isLost = mayBeLost(message) && chance(faults.lostTasks)
        let isTwice = chance(faults.duplicates)
        at(delay) { [unowned self] in
            let isGone = node.incarnation != incarnation && isCut(node, incarnation, partition)
            if !isRefused, !isLost, !isGone {
                log.append(message, to: partition)
                if isTwice, !isCoordinator {
                    at(random(1...200)) { [unowned self] in log.append(message, to: partition) }
                }
            }
        }
        node.later(delay + 1) { done(!isRefused && !isAckLost) }
    }

    /// Tasks of jobs that have not ended may get lost: they are issued again.
    private func mayBeLost(_ message: Message) -> Bool {
        guard case .task(let task) = message else { return false }
        return task.step != .discard || !hasEnded(task.order.id)
    }

    private func hasEnded(_ id: String) -> Bool {
        (log.partitions[place(Topics.jobs, id)] ?? []).contains { message in
            guard case .job(let record) = message else { return false }
            return record.order.id == id && record.state.isEnd
        }
    }

    /// Whether what a dead process had sent got lost on the way: of one partition, everything from some record on.
    private func isCut(_ node: SimulatedNode, _ incarnation: Int, _ to: PartitionID) -> Bool {
        let name = "\(node.name).\(incarnation)/\(to.topic)/\(to.partition)"
        if !cuts.contains(name), percent(50) { cuts.insert(name) }
        return cuts.contains(name)
    }

    private func appended(_ partition: PartitionID) {
        let delay = random(1...3)
        switch partition.topic {
        case Topics.control: for worker in workers { worker.wake(delay) }
        case Topics.results, Topics.requests, Topics.jobs:
            for coordinator in coordinators where coordinator.owned.contains(partition.partition) {
                coordinator.wake(delay)
            }
        case let topic where Topics.taskShares[topic] != nil:
            for worker in workers { worker.wake(delay) }
        default: break
        }
    }

    private func submit(_ id: String) {
        guard let job = jobs[id] else { return }
        let requests = place(Topics.requests, id)
        let time = random(0...2000)
        let weight = Int(random(1...3))
        let submission = Submission(job.order, weight: weight, priority: job.priority)
        for _ in 0...(percent(20) ? 1 : 0) {
            at(time) { [unowned self] in
                log.append(.request(.submit(submission)), to: requests)
            }
        }
        guard percent(faults.cancels) else { return }
        jobs[id]?.isCancelled = true
        at(time + random(0...4000)) { [unowned self] in
            log.append(.request(.cancel(id)), to: requests)
        }
    }

    // MARK: groups

    func rebalanceWorkers() {
        workerGeneration += 1
        let generation = workerGeneration
        let members = workers.filter { $0.isAlive && !$0.isFrozen }
        for (place, worker) in members.enumerated() {
            let share = taskPartitions.filter { $0.partition % members.count == place }
            worker.leave()
            worker.later(random(5...20)) { [unowned self] in
                guard generation == workerGeneration else { return }
                worker.assign(share, generation: generation)
            }
        }
    }

    private var taskPartitions: [PartitionID] {
        JobPriority.allCases.flatMap { priority in
            (0..<topics.taskPartitions).map { PartitionID(Topics.tasks(priority), $0) }
        }
    }

    func rebalanceCoordinators() {
        let members = coordinators.filter { $0.isAlive && !$0.isFrozen }
        guard !members.isEmpty else { return }
        for number in 0..<topics.jobPartitions {
            let owner = members[number % members.count]
            let former = owners[number]
            guard former !== owner || !owner.owned.contains(number) else { continue }
            owners[number] = owner
            for other in members where other !== owner { other.take(number) }
            owner.later(random(5...20)) { [unowned self] in
                if owners[number] === owner, !owner.owned.contains(number) { owner.give(number) }
            }
        }
        for coordinator in members {
            for number in coordinator.owned.sorted() where owners[number] !== coordinator {
                coordinator.take(number)
            }
        }
    }

    func owner(_ number: Int) -> SimulatedCoordinator? { owners[number] }

    // MARK: faults

    private func scheduleFaults() {
        for worker in workers {
            again(faults.workerKills) { [unowned self] in kill(worker) }
            again(faults.workerFreezes) { [unowned self] in freeze(worker) }
        }
        for coordinator in coordinators {
            again(faults.coordinatorKills) { [unowned self] in kill(coordinator) }
            again(faults.coordinatorFreezes) { [unowned self] in freeze(coordinator) }
        }
        again(faults.rebalances) { [unowned self] in rebalanceWorkers() }
    }

    private func again(_ mean: Int, _ body: @escaping () -> Void) {
        guard mean > 0 else { return }
        at(random(1...Milliseconds(mean * 2))) { [unowned self] in
            guard !isCalm else { return }
            body()
            again(mean, body)
        }
    }

    func killByPoison(_ worker: SimulatedWorker) { kill(worker) }

    private func kill(_ node: SimulatedNode) {
        guard node.isAlive else { return }
        node.die()
        at(600) { [unowned self] in membersChanged(node) }
        at(random(50...2000)) { [unowned self] in
            node.revive()
            membersChanged(node)
        }
    }

    private func freeze(_ node: SimulatedNode) {
        guard node.isAlive, !node.isFrozen else { return }
        node.freeze()
        let length = random(50...3000)
        if length > 600 { at(600) { [unowned self] in membersChanged(node) } }
        at(length) { node.thaw() }
    }

    private func membersChanged(_ node: SimulatedNode) {
        if node is SimulatedWorker { rebalanceWorkers() } else { rebalanceCoordinators() }
    }

    private func becomeCalm() {
        isCalm = true
        for node in workers as [SimulatedNode] + coordinators {
            node.thaw()
            node.revive()
        }
        rebalanceWorkers()
        rebalanceCoordinators()
    }

    private var isOver: Bool {
        jobs.keys.allSatisfy(hasEnded)
    }
}
