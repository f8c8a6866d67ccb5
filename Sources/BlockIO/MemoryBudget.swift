// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// What buffers, tables, decoders and encoders of a process may take in all: every part that takes much of it draws from here.
///
/// Memory is *kept* as long as an image is open (tables, indexes): that is never refused, but leaves less for the others. It is *shared* by the readers
/// of streams: what is promised them for decoders and for decoded chunks nobody else gets, and beyond that they take what is left. And it is
/// *lent* for a range: all at once, by who has nothing yet, so that nobody who waits has what others wait for. One loan is given in any case.
/// Buffers that nobody uses stay for use again until something else needs the room.
package final class MemoryBudget: Sendable {
    /// The one of this process. With what is not counted here (the program, its threads, small things) it stays under 256 MiB.
    package static let process = MemoryBudget(limit: 220 << 20)

    /// What streams have, or may have in any case.
    private struct Shared {
        var decoders = 0
        var chunks = 0
    }

    /// A range that has no memory yet.
    private struct Applicant {
        let id: Int
        let order: UInt64
        /// Whether it waits; else it may still turn out to need nothing.
        var isWaiting = false
    }

    private struct State {
        let limit: Int
        var kept = 0
        var shared = Shared()
        var promised = Shared()
        var lent = 0
        /// How many loans are out.
        var loans = 0
        var applicants: [Applicant] = []
        var lastApplicant = 0
        /// Buffers that nobody uses, the one used last at the end.
        var idle: [AlignedBuffer] = []
        var idleBytes = 0

        /// What is spoken for, with so much more in the streams' part.
        func spoken(sharing more: Int = 0) -> Int {
            kept + max(shared.decoders, promised.decoders)
                + max(shared.chunks + more, promised.chunks) + lent
        }

        var isAwaited: Bool { applicants.contains(where: \.isWaiting) }

        /// Whether applicant `id` gets a loan now: not before others that wait and have a lower order, nor in the way of those that may still.
        func mayLend(_ bytes: Int, to id: Int) -> Bool {
            guard let me = applicants.first(where: { $0.id == id }) else { return false }
            let before = applicants.filter { ($0.order, $0.id) < (me.order, id) }
            guard !before.contains(where: \.isWaiting) else { return false }
            if spoken() + bytes * (1 + before.count) <= limit { return true }
            return loans == 0 && before.isEmpty
        }

        /// A buffer of `size` bytes that nobody uses.
        mutating func reuse(_ size: Int) -> AlignedBuffer? {
            guard let index = idle.lastIndex(where: { $0.count == size }) else { return nil }
            idleBytes -= size
            return idle.remove(at: index)
        }

        /// Takes out buffers for which there is no room any more, those first that were not used for longest.
        mutating func evict() -> [AlignedBuffer] {
            var count = 0
            while count < idle.count,
                kept + shared.decoders + shared.chunks + lent + idleBytes > limit
            {
                idleBytes -= idle[count].count
                count += 1
            }
            defer { idle.removeFirst(count) }
            return Array(idle.prefix(count))
        }
    }

    /// Bytes.
    package let limit: Int
    private let state: Monitor<State>

    /// A budget of `limit` bytes.
    package init(limit: Int) {
        self.limit = limit
        state = Monitor(State(limit: limit))
    }

    // MARK: Kept

    /// Counts `bytes` that an open image keeps; negative when it goes.
    package func keep(_ bytes: Int) { change { $0.kept += bytes } }

    // MARK: Shared

    /// Promises the readers of streams so many bytes for decoders, and for decoded chunks and what else they share.
    package func promise(decoders: Int, chunks: Int) {
        change { $0.promised = Shared(decoders: decoders, chunks: chunks) }
    }

    /// Whether there is room for all that is promised, or as much as there ever may be.
    package var keepsPromise: Bool {
        state.withLock { $0.loans <= 1 || $0.spoken() <= $0.limit }
    }

    /// Counts `bytes` that a decoder takes; negative when it goes.
    package func decode(_ bytes: Int) { change { $0.shared.decoders += bytes } }

    /// Counts `bytes` that streams take beside that in any case; negative gives them back.
    package func share(_ bytes: Int) { change { $0.shared.chunks += bytes } }

    /// Takes `bytes` for streams where there are so many: of what is promised, or else where nobody waits for them.
    package func tryShare(_ bytes: Int) -> Bool {
        // What has no room any more is freed outside the lock: that takes long.
        state.withLock { state -> (isDone: Bool, evicted: [AlignedBuffer]) in
            guard Self.canShare(bytes, state) else { return (false, []) }
            state.shared.chunks += bytes
            return (true, state.evict())
        }.isDone
    }

    /// Whether ``tryShare(_:)`` would succeed now; with `isPromised`, whether it would take only what is promised.
    package func canShare(_ bytes: Int, isPromised: Bool = false) -> Bool {
        state.withLock { state in
            if isPromised { return state.shared.chunks + bytes <= state.promised.chunks }
            return Self.canShare(bytes, state)
        }
    }

    private static func canShare(_ bytes: Int, _ state: State) -> Bool {
        if state.shared.chunks + bytes <= state.promised.chunks { return true }
        return !state.isAwaited && state.spoken(sharing: bytes) <= state.limit
    }

    // MARK: Lent

    /// Begins something that may need a loan, and may have to wait for it: who has the lowest `order` is the next.
    package func apply(order: UInt64) -> MemoryApplication {
        let id = state.withLock { state in
            state.lastApplicant += 1
            state.applicants.append(Applicant(id: state.lastApplicant, order: order))
            return state.lastApplicant
        }
        return MemoryApplication(self, id: id)
    }

    /// The applicant `id` needs nothing more.
    func leave(_ id: Int) { change { state in state.applicants.removeAll { $0.id == id } } }

    /// Waits half a second at most for a loan to the applicant `id`.
    func tryLend(_ bytes: Int, bufferSize: Int, to id: Int) -> MemoryLoan? {
        typealias Grant = (known: AlignedBuffer?, evicted: [AlignedBuffer], isAwaited: Bool)
        let grant = state.wait(milliseconds: 500) { state -> Grant? in
            guard state.mayLend(bytes, to: id) else {
                for place in state.applicants.indices where state.applicants[place].id == id {
                    state.applicants[place].isWaiting = true
                }
                return nil
            }
            state.applicants.removeAll { $0.id == id }
            state.loans += 1
            state.lent += bytes
            let known = state.reuse(bufferSize)
            return (known, state.evict(), state.isAwaited)
        }
        guard let grant else { return nil }
        if grant.isAwaited { state.wake() }
        return MemoryLoan(
            self,
            bytes: bytes,
            buffer: grant.known ?? AlignedBuffer(count: bufferSize)
        )
    }

    /// Takes back what a loan is reduced by.
    func reduce(by bytes: Int) { change { $0.lent -= bytes } }

    /// Takes back a loan of `bytes`, and keeps its buffer for use again.
    func end(_ bytes: Int, _ buffer: AlignedBuffer) {
        change { state in
            state.loans -= 1
            state.lent -= bytes
            state.idle.append(buffer)
            state.idleBytes += buffer.count
        }
    }

    // MARK: Buffers

    /// A buffer of `size` bytes that somebody has used, if there is one.
    func reuse(_ size: Int) -> AlignedBuffer? { state.withLock { $0.reuse(size) } }

    /// Keeps a buffer for use again, as long as there is room.
    func keepIdle(_ buffer: AlignedBuffer) {
        // What has no room is freed outside the lock: that takes long.
        _ = state.withLock { state in
            state.idle.append(buffer)
            state.idleBytes += buffer.count
            return state.evict()
        }
    }

    /// Changes the state, drops what there is no room for, and wakes who waits.
    private func change(_ body: (inout State) -> Void) {
        let outcome = state.withLock { state -> (evicted: [AlignedBuffer], isAwaited: Bool) in
            body(&state)
            return (state.evict(), state.isAwaited)
        }
        if outcome.isAwaited { state.wake() }
    }
}
