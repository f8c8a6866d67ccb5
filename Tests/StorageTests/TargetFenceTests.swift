// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import FoundationEssentials
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct TargetFenceTests {
    private let directory: TemporaryDirectory
    private let staging: StagingFile
    private let fence: TargetFence

    init() throws {
        directory = try TemporaryDirectory()
        staging = try StagingFile(target: directory.file("disk"), job: "job-1")
        fence = TargetFence(staging)
    }

    private func open(canClose: Bool = false) throws -> FenceLock {
        try #require(try fence.open(canClose: canClose))
    }

    @Test func `the lock file is made once, beside the staging file`() throws {
        #expect(try fence.open() == nil)
        #expect(try fence.create(isDurable: true))
        #expect(try !fence.create(isDurable: false))
        #expect(directory.names == [".disk.job-1.lock"])
        let content = try Data(contentsOf: URL(filePath: fence.path))
        #expect(content == Data("dray lock 1 o job-1\n".utf8))
        try open(canClose: true).mark(.sealed, isDurable: true)
        #expect(try !fence.create(isDurable: false))
        #expect(try open().state() == .sealed)
    }

    @Test(
        "once the target is closed a writer fails as refused",
        arguments: [TargetFence.State.sealed, .discarded]
    )
    func lateWriter(state: TargetFence.State) throws {
        _ = try fence.create(isDurable: false)
        let memory = MemoryStorage()
        let writer = FencedStorage(memory, try open())
        let buffer = AlignedBuffer(count: 512)
        buffer.zero(0..<512)
        try writer.write(HostOffset(0), from: buffer, 0..<512)
        let closer = try open(canClose: true)
        try closer.mark(state, isDurable: false)
        let calls: [() throws -> Void] = [
            { try writer.write(HostOffset(512), from: buffer, 0..<512) },
            { try writer.zero(HostOffset(512), length: 512, mayPunch: true) },
            { try writer.reserve(HostOffset(512), length: 512) },
            { try writer.resize(4096) },
        ]
        for call in calls {
            let error = #expect(throws: DrayError.self) { try call() }
            #expect(error?.kind == .refused)
        }
        // The same once the lock file is gone, and once another one is in its place.
        try fence.remove()
        #expect(throws: DrayError.self) { try calls[0]() }
        _ = try fence.create(isDurable: false)
        #expect(throws: DrayError.self) { try calls[0]() }
        #expect(memory.length == 512)
    }

    @Test func `a writer whose lock file was removed or exchanged fails`() throws {
        _ = try fence.create(isDurable: false)
        let writer = try open()
        try writer.whileOpen {}
        try fence.remove()
        for _ in 0..<2 {
            #expect(throws: DrayError.self) { try writer.whileOpen { Issue.record("late") } }
            _ = try fence.create(isDurable: false)
        }
        try open().whileOpen {}
    }

    @Test func `a stranger's file is not taken for a lock file`() throws {
        for text in [
            "", "x", "dray lock 1 o job-2\n", "dray lock 1 x job-1\n", "dray lock 2 o job-1\n",
        ] {
            try Data(text.utf8).write(to: URL(filePath: fence.path))
            let lock = try open(canClose: true)
            #expect(throws: DrayError.self) { try lock.whileOpen { Issue.record("foreign") } }
            #expect(throws: DrayError.self) { try fence.discard { Issue.record("foreign") } }
            #expect(try Data(contentsOf: URL(filePath: fence.path)) == Data(text.utf8))
        }
    }

    @Test("who closes waits for writers, and gives up when asked", .timeLimit(.minutes(15)))
    func waiting() async throws {
        _ = try fence.create(isDurable: false)
        let (writer, closer) = (try open(), try open(canClose: true))
        try writer.whileOpen { () throws(DrayError) in
            try closer.mark(.sealed, isDurable: false)
            let isLocked = try closer.lockExclusive(atMost: 20) { false }
            #expect(!isLocked)
            var asked = 0
            do throws(DrayError) {
                _ = try closer.lockExclusive(atMost: nil) {
                    asked += 1
                    return asked > 3
                }
                Issue.record("a writer was not waited for")
            } catch {
                #expect(error.kind == .cancelled)
            }
        }
        #expect(try closer.lockExclusive(atMost: 0) { false })
    }

    @Test("no write runs when the exclusive lock is held", .timeLimit(.minutes(15)))
    func race() async throws {
        for _ in 0..<50 {
            _ = try fence.create(isDurable: false)
            let seen = Seen()
            try await withThrowingTaskGroup { group in
                for _ in 0..<3 {
                    let writer = try open()
                    group.addTask { try await Self.writeUntilClosed(writer, seen) }
                }
                let closer = try open(canClose: true)
                while seen.writes.load(ordering: .relaxed) == 0 { await Task.yield() }
                try closer.mark(.sealed, isDurable: false)
                #expect(try closer.lockExclusive(atMost: nil) { false })
                seen.isClosed.store(true, ordering: .releasing)
                try await group.waitForAll()
            }
            #expect(seen.late.load(ordering: .relaxed) == 0)
            try fence.remove()
        }
    }

    private final class Seen: Sendable {
        let isClosed = Atomic(false)
        let late = Atomic(0)
        let writes = Atomic(0)
    }

    private static func writeUntilClosed(_ writer: FenceLock, _ seen: Seen) async throws {
        while true {
            do throws(DrayError) {
                try writer.whileOpen {
                    seen.writes.add(1, ordering: .relaxed)
                    if seen.isClosed.load(ordering: .acquiring) {
                        seen.late.add(1, ordering: .relaxed)
                    }
                }
            } catch {
                #expect(error.kind == .refused)
                return
            }
            await Task.yield()
        }
    }

    @Test func `a discard does not wait for ever for a writer that stands still`() throws {
        _ = try fence.create(isDurable: false)
        try staging.create(replacing: false, cache: .unsafe) { _ in }
        let writer = try open()
        try writer.whileOpen { () throws(DrayError) in
            try fence.discard(waiting: 10) { () throws(DrayError) in try staging.remove() }
        }
        #expect(directory.names.isEmpty)
        #expect(throws: DrayError.self) { try writer.whileOpen { Issue.record("late") } }
        try fence.discard { () throws(DrayError) in try staging.remove() }
    }
}
