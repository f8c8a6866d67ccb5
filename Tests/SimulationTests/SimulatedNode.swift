// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import Fleet

/// A process of a simulation: it may die, come back as another, and freeze.
class SimulatedNode {
    let name: String
    unowned let world: Simulation
    private(set) var incarnation = 0
    private(set) var isAlive = true
    private(set) var isFrozen = false
    private var frozen: [() -> Void] = []
    private var pollAt = Milliseconds.max

    init(name: String, world: Simulation) {
        self.name = name
        self.world = world
    }

    /// Does something in this process after a while, if it still is the same process then.
    func later(_ delay: Milliseconds, _ body: @escaping () -> Void) {
        let known = incarnation
        world.at(delay) { [unowned self] in
            guard incarnation == known, isAlive else { return }
            if isFrozen { frozen.append(body) } else { body() }
        }
    }

    /// Sees to it that `poll` is called after at most `delay`.
    func wake(_ delay: Milliseconds) {
        let time = world.now + max(delay, 0)
        guard time < pollAt else { return }
        pollAt = time
        later(max(delay, 0)) { [unowned self] in
            guard world.now >= pollAt else { return }
            pollAt = .max
            poll()
        }
    }

    func die() {
        incarnation += 1
        isAlive = false
        isFrozen = false
        frozen = []
        pollAt = .max
        stopped()
    }

    func revive() {
        guard !isAlive else { return }
        isAlive = true
        pollAt = .max
        begin()
    }

    func freeze() { isFrozen = isAlive }

    func thaw() {
        guard isFrozen else { return }
        isFrozen = false
        let waiting = frozen
        frozen = []
        for body in waiting { body() }
        thawed()
    }

    /// The process starts with nothing.
    func begin() {}
    /// The process is gone.
    func stopped() {}
    /// The process goes on, and learns what it has missed.
    func thawed() {}
    /// Looks at the log.
    func poll() {}
}
