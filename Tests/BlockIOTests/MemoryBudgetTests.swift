// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import TaskLog
internal import Testing

/// Who gets memory, who waits for it, and that nobody waits for ever.
@Suite(.timeLimit(.minutes(1))) struct MemoryBudgetTests {
    private struct Stopped: Error {}

    /// What threads say.
    private final class Notes: Sendable {
        private let all = Monitor<[String]>([])

        func say(_ word: String) {
            all.withLock { $0.append(word) }
            all.wake()
        }

        /// Waits until `word` was said so often.
        func wait(for word: String, count: Int = 1) {
            let isSaid = all.wait(milliseconds: 30_000) { words in
                words.count { $0 == word } >= count ? true : nil
            }
            #expect(isSaid == true, "\(word) is said")
        }

        func has(_ word: String) -> Bool { all.withLock { $0.contains(word) } }
        func words(_ wanted: Set<String>) -> [String] {
            all.withLock { $0.filter(wanted.contains) }
        }
    }

    private func lend(_ budget: MemoryBudget, _ bytes: Int, order: UInt64 = 0) -> MemoryLoan {
        budget.apply(order: order).lend(bytes, bufferSize: 1) {}
    }

    /// A thread that borrows, says so, gives back and ends. It says `waiting` twice a second while it waits.
    private func borrower(
        _ budget: MemoryBudget,
        _ bytes: Int,
        order: UInt64 = 0,
        _ name: String,
        _ notes: Notes
    ) throws -> OwnThread {
        try OwnThread {
            let loan = budget.apply(order: order).lend(bytes, bufferSize: 1) {
                notes.say("\(name) waits")
            }
            notes.say(name)
            loan.end()
        }
    }

    @Test func `who does not fit waits until a loan is ended or reduced`() throws {
        let budget = MemoryBudget(limit: 100)
        let notes = Notes()
        let first = lend(budget, 80)
        let second = try borrower(budget, 40, "second", notes)
        notes.wait(for: "second waits")
        #expect(!notes.has("second"))
        first.keepBufferOnly()
        notes.wait(for: "second")
        second.join()
        first.end()
    }

    @Test func `one loan is given however large it is, and then no other`() throws {
        let budget = MemoryBudget(limit: 100)
        let notes = Notes()
        let first = lend(budget, 1000)
        let second = try borrower(budget, 1, "second", notes)
        notes.wait(for: "second waits")
        #expect(!notes.has("second"))
        first.end()
        second.join()
        #expect(notes.has("second"))
    }

    @Test func `of those that wait the lowest order is the next`() throws {
        let budget = MemoryBudget(limit: 100)
        let notes = Notes()
        let first = lend(budget, 100)
        var others: [OwnThread] = []
        for order in [3, 1, 2] {
            try others.append(borrower(budget, 90, order: UInt64(order), "\(order)", notes))
            notes.wait(for: "\(order) waits")
        }
        first.end()
        for other in others { other.join() }
        #expect(notes.words(["1", "2", "3"]) == ["1", "2", "3"])
    }

    @Test func `who is told to stop while it waits is in nobody's way`() throws {
        let budget = MemoryBudget(limit: 100)
        let first = lend(budget, 60)
        #expect(throws: Stopped.self) {
            try budget.apply(order: 0).lend(50, bufferSize: 1) { () throws(Stopped) in
                throw Stopped()
            }
        }
        let second = lend(budget, 40, order: 1)
        #expect(!budget.tryShare(1))
        second.end()
        first.end()
        #expect(budget.tryShare(90))
    }

    @Test func `a range that began earlier and has not asked yet keeps its chance`() throws {
        let budget = MemoryBudget(limit: 100)
        let notes = Notes()
        var early: MemoryApplication? = budget.apply(order: 1)
        let late = try borrower(budget, 60, order: 2, "late", notes)
        notes.wait(for: "late waits")
        #expect(!notes.has("late"))
        let loan = early?.lend(60, bufferSize: 1) {}
        early = nil
        notes.wait(for: "late waits", count: 2)
        #expect(!notes.has("late"))
        loan?.end()
        late.join()
        #expect(notes.has("late"))
    }

    @Test func `a range that needs nothing in the end holds nobody up`() throws {
        let budget = MemoryBudget(limit: 100)
        let notes = Notes()
        var early: MemoryApplication? = budget.apply(order: 1)
        let late = try borrower(budget, 60, order: 2, "late", notes)
        notes.wait(for: "late waits")
        #expect(early != nil)
        early = nil
        late.join()
        #expect(notes.has("late"))
    }

    @Test func `what is promised to streams is lent to nobody, and theirs at once`() throws {
        let budget = MemoryBudget(limit: 100)
        let notes = Notes()
        budget.promise(decoders: 40, chunks: 20)
        let first = lend(budget, 30)
        let second = try borrower(budget, 20, "second", notes)
        notes.wait(for: "second waits")
        budget.decode(40)
        #expect(budget.tryShare(20))
        #expect(!budget.tryShare(1), "somebody waits for it")
        #expect(budget.keepsPromise)
        budget.share(-20)
        budget.decode(-40)
        #expect(!notes.has("second"))
        budget.promise(decoders: 0, chunks: 0)
        notes.wait(for: "second")
        second.join()
        first.end()
    }

    @Test func `streams take what nobody needs, but not what is promised for decoders`() {
        let budget = MemoryBudget(limit: 100)
        budget.promise(decoders: 40, chunks: 20)
        #expect(budget.canShare(20, isPromised: true))
        #expect(!budget.canShare(21, isPromised: true))
        #expect(budget.tryShare(60))
        #expect(!budget.tryShare(1))
        budget.share(-60)
    }

    @Test func `what is promised while too much is lent is there when loans end`() {
        let budget = MemoryBudget(limit: 100)
        let (first, second) = (lend(budget, 45), lend(budget, 45))
        budget.promise(decoders: 40, chunks: 10)
        #expect(!budget.keepsPromise)
        second.end()
        #expect(budget.keepsPromise)
        first.end()
    }

    @Test func `what is kept leaves less to lend and to share`() {
        let budget = MemoryBudget(limit: 100)
        budget.keep(70)
        #expect(!budget.canShare(31))
        #expect(budget.canShare(30))
        budget.keep(-70)
        #expect(budget.canShare(100))
    }

    @Test func `buffers are used again until the room is needed`() {
        let budget = MemoryBudget(limit: 100 << 10)
        let pool = BufferPool(bufferSize: 40 << 10, budget: budget)
        let buffer = pool.take()
        pool.give(buffer)
        #expect(pool.take() === buffer)
        pool.give(buffer)
        let loan = budget.apply(order: 0).lend(50 << 10, bufferSize: 40 << 10) {}
        #expect(loan.buffer === buffer)
        loan.end()
        budget.share(80 << 10)
        budget.share(-80 << 10)
        #expect(pool.take() !== buffer)
    }
}
