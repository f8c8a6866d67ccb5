// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import Fleet
import TaskLog

/// A worker process: the real state machine, with steps that only pretend.
final class SimulatedWorker: SimulatedNode {
    private struct Running {
        let task: TaskMessage
        var leaseEnd: Milliseconds
        var isStopped = false
        var isWaiting = false
    }

    private var state: WorkerState
    private var running: [RunNumber: Running] = [:]
    private var positions: [PartitionID: Int64] = [:]
    private var controlPosition: Int64 = 0
    private var generation = 0

    init(number: Int, world: Simulation) {
        state = WorkerState(settings: WorkerSettings(name: "none", slots: 1))
        super.init(name: "worker-\(number)", world: world)
        begin()
    }

    override func begin() {
        var settings = WorkerSettings(name: "\(name).\(incarnation)", slots: 2)
        settings.resend = 200
        settings.commitInterval = 100
        settings.republish = 50
        settings.parkingPatience = 1500
        settings.blockingPatience = 100
        settings.heartbeat = 250
        state = WorkerState(settings: settings)
        running = [:]
        positions = [:]
        controlPosition = 0
        generation = 0
        wake(1)
    }

    override func stopped() { running = [:] }

    override func thawed() {
        poll()
        if generation != 0, generation != world.workerGeneration { leave() }
        world.rebalanceWorkers()
    }

    /// The group gives its partitions anew.
    func assign(_ partitions: [PartitionID], generation: Int) {
        leave()
        self.generation = generation
        let places = partitions.map { world.log.committed($0) }
        for place in places { positions[place.partition] = place.offset }
        tell(.assigned(places))
        wake(1)
    }

    /// What was this worker's is so no more; commits still count as long as the group has not moved on.
    func leave() {
        guard !positions.isEmpty else { return }
        tell(.revoked(sortedPartitions))
        positions = [:]
    }

    private var sortedPartitions: [PartitionID] {
        positions.keys.sorted { ($0.topic, $0.partition) < ($1.topic, $1.partition) }
    }

    override func poll() {
        for message in world.log.records(world.control, from: controlPosition, limit: 1000) {
            controlPosition += 1
            if case .control(let record) = message { tell(.control(record)) }
        }
        for partition in sortedPartitions {
            let start = positions[partition] ?? 0
            for message in world.log.records(partition, from: start, limit: state.credits) {
                let offset = positions[partition] ?? 0
                positions[partition] = offset + 1
                if case .task(let task) = message { tell(.task(task, partition, offset: offset)) }
            }
        }
        tell(.tick)
        let next = state.nextTick ?? .max
        wake(min(max(next, world.now + 1), world.now + 400) - world.now)
    }

    private func tell(_ event: WorkerEvent) {
        for action in state.handle(event, now: world.now) {
            switch action {
            case .begin(let number, let task, let end):
                running[number] = Running(task: task, leaseEnd: end)
                begin(number, task)
            case .renew(let number, let end): running[number]?.leaseEnd = end
            case .place(let number, let offset): place(number, offset.bytes)
            case .stop(let number): stop(number)
            case .publish(let result, let token): publish(.result(result), token, result.task.job)
            case .deadLetter(let letter, let token): publish(.deadLetter(letter), token, "")
            case .commit(let places):
                if generation == world.workerGeneration { places.forEach(world.log.commit) }
            case .drained: break
            }
        }
    }

    private func publish(_ message: Message, _ token: UInt64, _ job: String) {
        if world.mutation == .acknowledgesFirst, case .result(let result) = message,
            result.isOutcome
        {
            later(1) { [unowned self] in tell(.delivered(token: token, isDurable: true)) }
            if world.percent(30) { return }
        }
        world.send(message, to: world.results(job), from: self) { [unowned self] isDurable in
            tell(.delivered(token: token, isDurable: isDurable))
            tell(.tick)
            wake(1)
        }
    }

    private func end(_ number: RunNumber, _ body: ResultMessage.Body) {
        guard let run = running.removeValue(forKey: number) else { return }
        tell(.ended(number, run.isStopped && body.isFailure ? .cancelled : body))
        wake(0)
    }

    private func begin(_ number: RunNumber, _ task: TaskMessage) {
        let isSlow = world.chance(world.faults.slowSteps)
        let duration = isSlow ? world.random(1500...5000) : world.random(1...40)
        if isSlow { beat(number) }
        later(duration) { [unowned self] in
            guard let run = running[number] else { return }
            if run.isStopped || run.leaseEnd < world.now { return end(number, .cancelled) }
            step(number, task)
        }
    }

    /// Says now and then that a step that takes long goes on.
    private func beat(_ number: RunNumber) {
        later(250) { [unowned self] in
            guard running[number] != nil else { return }
            tell(.progress(number, 0, signs: UInt64(world.now)))
            beat(number)
        }
    }

    private func step(_ number: RunNumber, _ task: TaskMessage) {
        let job = task.order.id
        if world.chance(world.faults.failures) {
            return end(number, .failed(DrayError(.resource, "it did not work this time")))
        }
        switch task.step {
        case .plan: end(number, world.plan(job))
        case .seal: end(number, world.seal(task))
        case .discard: end(number, world.discard(job))
        case .range: range(number, task, job)
        }
    }

    private func range(_ number: RunNumber, _ task: TaskMessage, _ job: String) {
        guard let known = world.jobs[job] else { return }
        if known.poison == task.index { return world.killByPoison(self) }
        if known.permanent == task.index {
            return end(number, .failed(DrayError(.corrupt, "this will never work")))
        }
        guard known.needsPlace(task.index) else {
            return end(number, .ranged(world.result(job, task.index, place: nil)))
        }
        running[number]?.isWaiting = true
        tell(.sized(number, known.space(task.index)))
        wake(50)
    }

    private func place(_ number: RunNumber, _ offset: UInt64) {
        guard let run = running[number], run.isWaiting else { return }
        running[number]?.isWaiting = false
        later(world.random(1...30)) { [unowned self] in
            guard let run = running[number] else { return }
            let index = run.task.index
            if run.isStopped { return end(number, .cancelled) }
            guard world.write(run.task.order.id, index, at: offset) else {
                return end(number, .failed(DrayError(.refused, "the target is closed")))
            }
            end(number, .ranged(world.result(run.task.order.id, index, place: offset)))
        }
    }

    private func stop(_ number: RunNumber) {
        running[number]?.isStopped = true
        if running[number]?.isWaiting == true {
            later(1) { [unowned self] in end(number, .cancelled) }
        }
    }
}

extension ResultMessage.Body {
    /// Whether it is a failure.
    var isFailure: Bool {
        if case .failed = self { true } else { false }
    }
}
