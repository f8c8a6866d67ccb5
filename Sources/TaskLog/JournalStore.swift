// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Glibc
internal import Synchronization

/// A log's records in an SQLite file, which a later process can go on from: safe against kill -9 at any moment.
///
/// Changes are made durable against the end of the process, in order; a loss of power may take the last of them, which
/// makes some ranges run again and nothing worse. The file is this process's alone while it is open.
package final class JournalStore: RecordStore {
    /// Marks the file as ours (`DRAY`), as file(1) shows it.
    package static let applicationID: Int64 = 0x4452_4159
    /// The version of the tables.
    package static let schemaVersion: Int64 = 2

    @safe
    private struct Guarded: @unchecked Sendable {
        // @unchecked: only reached through the lock of `state`.
        var database: SQLiteConnection?
        var append: SQLiteStatement?
        var remove: SQLiteStatement?
        var commit: SQLiteStatement?
    }

    private let path: String
    private let state: Mutex<Guarded>

    /// Opens the journal at `path`, or makes it. Fails with `refused` where the file is not a journal or another process has
    /// it, with `unsupported` where another version wrote it, with `corrupt` where it is damaged.
    package init(path: String) throws(DrayError) {
        self.path = path
        try Self.refuseScrap(path)
        let database = try SQLiteConnection(path: path)
        // Exclusive: the lock is taken by the first use below and held until the process ends, however it ends.
        try database.execute("PRAGMA locking_mode = EXCLUSIVE")
        try Self.claim(database, path)
        try database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        state = Mutex(
            Guarded(
                database: database,
                append: try database.prepare(
                    "INSERT INTO records (topic, partition, offset, key, headers, value, timestamp, sum)"
                        + " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                ),
                remove: try database.prepare(
                    "DELETE FROM records WHERE topic = ? AND partition = ? AND key = ?"
                ),
                commit: try database.prepare(
                    "REPLACE INTO commits (consumers, topic, partition, offset, metadata, sum)"
                        + " VALUES (?, ?, ?, ?, ?, ?)"
                )
            )
        )
    }

    package func apply(_ changes: [StoreChange]) throws(DrayError) {
        try locked { guarded throws(DrayError) in
            try guarded.database?.execute("BEGIN")
            do throws(DrayError) {
                for change in changes { try Self.apply(change, guarded) }
                try guarded.database?.execute("COMMIT")
            } catch {
                // The first error is the one to tell; the roll-back may fail because SQLite has rolled back by itself.
                try? guarded.database?.execute("ROLLBACK")
                throw error
            }
        }
    }

    package func records(
        of partition: PartitionID,
        from start: Int64,
        to end: Int64,
        limit: Int
    ) throws(DrayError) -> [LogRecord] {
        try locked { guarded throws(DrayError) in
            guard
                let query = try guarded.database?.prepare(
                    "SELECT offset, key, headers, value, timestamp, sum FROM records WHERE topic = ?"
                        + " AND partition = ? AND offset >= ? AND offset < ? ORDER BY offset LIMIT ?"
                )
            else { return [] }
            query.bind(1, partition.topic)
            query.bind(2, Int64(partition.partition))
            query.bind(3, start)
            query.bind(4, end)
            query.bind(5, Int64(limit))
            var records: [LogRecord] = []
            while try query.step() {
                records.append(try record(of: partition, query))
            }
            return records
        }
    }

    package func end(of partition: PartitionID) throws(DrayError) -> Int64 {
        try locked { guarded throws(DrayError) in
            let query = try guarded.database?.prepare(
                "SELECT offset + 1 FROM records WHERE topic = ? AND partition = ?"
                    + " ORDER BY offset DESC LIMIT 1"
            )
            query?.bind(1, partition.topic)
            query?.bind(2, Int64(partition.partition))
            guard let query, try query.step() else { return 0 }
            return query.integer(0)
        }
    }

    package func committed(
        _ group: String,
        _ partition: PartitionID
    ) throws(DrayError) -> LogPosition? {
        try locked { guarded throws(DrayError) in
            let query = try guarded.database?.prepare(
                "SELECT offset, metadata, sum FROM commits WHERE consumers = ? AND topic = ?"
                    + " AND partition = ?"
            )
            query?.bind(1, group)
            query?.bind(2, partition.topic)
            query?.bind(3, Int64(partition.partition))
            guard let query, try query.step() else { return nil }
            let metadata = String(decoding: query.bytes(1) ?? [], as: UTF8.self)
            let place = LogPosition(partition, offset: query.integer(0), metadata: metadata)
            guard RecordSum(group: group, place).value == query.integer(2) else {
                throw damaged("what '\(group)' has committed in '\(partition.topic)'")
            }
            return place
        }
    }

    /// Forgets everything: the next job starts afresh.
    package func erase() throws(DrayError) {
        try locked { guarded throws(DrayError) in
            try guarded.database?.execute("BEGIN; DELETE FROM records; DELETE FROM commits; COMMIT")
        }
    }

    package func close() {
        state.withLock { $0 = Guarded() }
    }

    private func locked<Value: Sendable>(
        _ body: (borrowing Guarded) throws(DrayError) -> Value
    ) throws(DrayError) -> Value {
        try state.withLock { guarded throws(DrayError) in try body(guarded) }
    }

    /// A file that is shorter than SQLite's header (100 bytes) is no database, but SQLite takes it for an empty one.
    private static func refuseScrap(_ path: String) throws(DrayError) {
        var status = stat()
        guard unsafe stat(path, &status) == 0, (1..<100).contains(status.st_size) else { return }
        throw DrayError(.refused, "the file is not a journal of dray", file: path)
    }

    private static func claim(_ database: SQLiteConnection, _ path: String) throws(DrayError) {
        try database.execute("BEGIN EXCLUSIVE")
        let application = try database.number("PRAGMA application_id")
        let version = try database.number("PRAGMA user_version")
        let tables = try database.number("SELECT count(*) FROM sqlite_master")
        if application == 0, version == 0, tables == 0 {
            try create(database)
            return try database.execute("COMMIT")
        }
        try database.execute("ROLLBACK")
        guard application == applicationID else {
            throw DrayError(.refused, "the file is not a journal of dray", file: path)
        }
        guard version == schemaVersion else {
            let message =
                "the journal has version \(version); this dray knows version \(schemaVersion)"
            throw DrayError(.unsupported, message, file: path)
        }
        let check = try database.text("PRAGMA integrity_check(1)")
        guard check == "ok" else {
            throw DrayError(.corrupt, "the journal is damaged: \(check)", file: path)
        }
    }

    private static func create(_ database: SQLiteConnection) throws(DrayError) {
        try database.execute(
            """
            PRAGMA application_id = \(applicationID);
            PRAGMA user_version = \(schemaVersion);
            CREATE TABLE records (
                topic TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL,
                key BLOB, headers BLOB NOT NULL, value BLOB, timestamp INTEGER NOT NULL,
                sum INTEGER NOT NULL,
                PRIMARY KEY (topic, partition, offset));
            CREATE TABLE commits (
                consumers TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL,
                offset INTEGER NOT NULL, metadata TEXT NOT NULL, sum INTEGER NOT NULL,
                PRIMARY KEY (consumers, topic, partition));
            """
        )
    }

    private static func apply(
        _ change: StoreChange,
        _ guarded: borrowing Guarded
    ) throws(DrayError) {
        switch change {
        case .append(let record): try append(record, guarded)
        case .replace(let record):
            guarded.remove?.bind(1, record.topic)
            guarded.remove?.bind(2, Int64(record.partition))
            guarded.remove?.bind(3, record.key)
            try guarded.remove?.run()
            try append(record, guarded)
        case .commit(let group, let place):
            guarded.commit?.bind(1, group)
            guarded.commit?.bind(2, place.partition.topic)
            guarded.commit?.bind(3, Int64(place.partition.partition))
            guarded.commit?.bind(4, place.offset)
            guarded.commit?.bind(5, place.metadata)
            guarded.commit?.bind(6, RecordSum(group: group, place).value)
            try guarded.commit?.run()
        }
    }

    private static func append(
        _ record: LogRecord,
        _ guarded: borrowing Guarded
    ) throws(DrayError) {
        guarded.append?.bind(1, record.topic)
        guarded.append?.bind(2, Int64(record.partition))
        guarded.append?.bind(3, record.offset)
        guarded.append?.bind(4, record.key)
        let headers = HeaderBlock.encode(record.headers)
        guarded.append?.bind(5, headers)
        guarded.append?.bind(6, record.value)
        guarded.append?.bind(7, record.timestamp)
        guarded.append?.bind(8, RecordSum(record, headers: headers).value)
        try guarded.append?.run()
    }

    /// The record in the row that `query` is at. Fails with `corrupt` where it is not what was stored.
    private func record(
        of partition: PartitionID,
        _ query: SQLiteStatement
    ) throws(DrayError) -> LogRecord {
        let offset = query.integer(0)
        let headers = query.bytes(2) ?? []
        let record = LogRecord(
            topic: partition.topic,
            partition: partition.partition,
            offset: offset,
            key: query.bytes(1),
            headers: HeaderBlock.decode(headers) ?? [],
            value: query.bytes(3),
            timestamp: query.integer(4)
        )
        guard RecordSum(record, headers: headers).value == query.integer(5) else {
            throw damaged("record \(offset) of '\(partition.topic)'")
        }
        return record
    }

    private func damaged(_ what: String) -> DrayError {
        DrayError(.corrupt, "the journal is damaged: \(what) is not what was stored", file: path)
    }
}
