// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import FoundationEssentials
import TaskLog
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct JournalStoreTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("journal")
    }

    /// Opens the journal, sends records and lets go of it.
    private func write(_ records: [NewRecord], commit: LogPosition? = nil) throws {
        let log = try EmbeddedLog(
            topics: EmbeddedLogTests.topics,
            store: try JournalStore(path: path)
        )
        let port = try log.open(LogSubscription(group: "g", shared: ["work"]))
        for record in records { port.produce(record, token: 1) }
        if let commit { port.commit([commit]) }
        port.close()
        log.close()
    }

    private func record(_ topic: String, _ key: String, _ value: String) -> NewRecord {
        EmbeddedLogTests.record(topic, key, value)
    }

    @Test("a log that is opened again has what it had, from where its group had come")
    func continues() throws {
        let numbers = (0..<600).map { record("work", "k", "\($0)") }
        try write(numbers, commit: LogPosition(PartitionID("work", 0), offset: 300))
        try write([
            record("work", "k", "600"), record("state", "a", "1"), record("state", "a", "2"),
        ])
        let log = try EmbeddedLog(
            topics: EmbeddedLogTests.topics,
            store: try JournalStore(path: path)
        )
        defer { log.close() }
        #expect(try EmbeddedLogTests.values(log, "work") == (0...600).map(String.init))
        #expect(try EmbeddedLogTests.values(log, "state") == ["2"])
        let port = try log.open(LogSubscription(group: "g", shared: ["work"]))
        port.produce(record("work", "k", "601"), token: 1)
        let values = try EmbeddedLogTests.poll(port, count: 302)
        #expect(values == (300...601).map(String.init))
    }

    @Test("one journal is one process's")
    func exclusive() throws {
        let store = try JournalStore(path: path)
        defer { store.close() }
        let error = #expect(throws: DrayError.self) { try JournalStore(path: path) }
        #expect(error?.kind == .refused)
        #expect(error?.message.contains("in use") == true)
    }

    @Test("a file that is not a journal is refused and stays as it is", arguments: [1, 99, 8192])
    func foreignFile(count: Int) throws {
        let content = [UInt8](repeating: 0x41, count: count)
        #expect(FileManager.default.createFile(atPath: path, contents: Data(content)))
        let error = #expect(throws: DrayError.self) { try JournalStore(path: path) }
        #expect(error?.kind == .refused && error?.file == path)
        #expect(FileManager.default.contents(atPath: path) == Data(content))
        #expect(directory.names == ["journal"])
    }

    @Test("a journal of another version is refused by its number")
    func otherVersion() throws {
        try write([record("work", "k", "v")])
        // The user version is the 4 bytes at 60 of the file's header (SQLite file format, 1.3).
        try patch(at: 60, [0, 0, 0, 9])
        let error = #expect(throws: DrayError.self) { try JournalStore(path: path) }
        #expect(error?.kind == .unsupported && error?.message.contains("9") == true)
    }

    @Test("a damaged journal is an error of its own")
    func damaged() throws {
        try write((0..<500).map { record("work", "k", String(repeating: "v", count: $0)) })
        let size = FileManager.default.contents(atPath: path)?.count ?? 0
        for offset in stride(from: 4096, to: size, by: 4096) {
            try patch(at: offset, [UInt8](repeating: 0xEE, count: 64))
        }
        let error = #expect(throws: DrayError.self) { try JournalStore(path: path) }
        #expect(error?.kind == .corrupt)
    }

    @Test(
        "a byte that has changed is noticed, or changes nothing",
        arguments: SeededGenerator.seeds(2)
    )
    func anyByte(seed: UInt64) throws {
        let place = LogPosition(PartitionID("work", 0), offset: 7, metadata: "as of then")
        try write((0..<12).map { record("work", "k", "value \($0)") }, commit: place)
        let whole = try #require(FileManager.default.contents(atPath: path))
        let expected = try content()
        #expect(expected.records.count == 12 && expected.place?.offset == 7)
        var generator = SeededGenerator(seed: seed)
        var noticed = 0
        for _ in 0..<300 {
            // Most of the file is empty; the other half of the changes goes where something is.
            let filled = whole.indices.filter { whole[$0] != 0 }
            let offset = try #require(
                Bool.random(using: &generator)
                    ? filled.randomElement(using: &generator)
                    : whole.indices.randomElement(using: &generator)
            )
            var changed = whole
            changed[offset] ^= UInt8.random(in: 1...255, using: &generator)
            #expect(FileManager.default.createFile(atPath: path, contents: changed))
            do {
                #expect(try content() == expected, "seed \(seed), byte \(offset)")
            } catch {
                noticed += 1
            }
        }
        #expect(noticed > 50, "seed \(seed)")
    }

    /// All that a journal says of what ``write(_:commit:)`` wrote.
    private struct Content: Equatable {
        let records: [String]
        let place: LogPosition?
    }

    private func content() throws(DrayError) -> Content {
        let store = try JournalStore(path: path)
        defer { store.close() }
        let work = PartitionID("work", 0)
        let records = try store.records(of: work, from: 0, to: try store.end(of: work), limit: 100)
        let texts = records.map { "\($0)" }
        return Content(records: texts, place: try store.committed("g", work))
    }

    private func patch(at offset: Int, _ bytes: [UInt8]) throws {
        var content = try #require(FileManager.default.contents(atPath: path))
        content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        #expect(FileManager.default.createFile(atPath: path, contents: content))
    }
}
