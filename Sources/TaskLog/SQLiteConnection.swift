// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CSQLite

/// A connection to an SQLite database. One thread at a time uses it; whoever owns it sees to that.
@safe
final class SQLiteConnection {
    private let handle: OpaquePointer
    private let path: String

    /// Opens or makes the file. Nothing is read of it yet.
    init(path: String) throws(DrayError) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let code = unsafe sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened = unsafe opened else {
            if let opened = unsafe opened { unsafe sqlite3_close_v2(opened) }
            throw Self.failure(code, "cannot open the journal", path)
        }
        unsafe handle = opened
        self.path = path
        unsafe sqlite3_extended_result_codes(handle, 1)
    }

    deinit { unsafe sqlite3_close_v2(handle) }

    /// Runs statements that return nothing of interest.
    func execute(_ sql: String) throws(DrayError) {
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    /// The number that a statement returns.
    func number(_ sql: String) throws(DrayError) -> Int64 {
        let statement = try prepare(sql)
        guard try statement.step() else { return 0 }
        return statement.integer(0)
    }

    /// The text that a statement returns.
    func text(_ sql: String) throws(DrayError) -> String {
        let statement = try prepare(sql)
        guard try statement.step() else { return "" }
        return String(decoding: statement.bytes(0) ?? [], as: UTF8.self)
    }

    /// Compiles a statement.
    func prepare(_ sql: String) throws(DrayError) -> SQLiteStatement {
        var prepared: OpaquePointer?
        let code = unsafe sqlite3_prepare_v2(handle, sql, -1, &prepared, nil)
        guard code == SQLITE_OK, let prepared = unsafe prepared else { throw failure(code) }
        return unsafe SQLiteStatement(prepared, path: path)
    }

    private func failure(_ code: Int32) -> DrayError {
        Self.failure(code, "the journal cannot be used", path)
    }

    /// What an SQLite code means to the person who must act on it.
    static func failure(_ code: Int32, _ what: String, _ path: String) -> DrayError {
        let text = unsafe String(cString: sqlite3_errstr(code))
        switch code & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED:
            return DrayError(.refused, "the journal is in use by another process", file: path)
        case SQLITE_NOTADB:
            return DrayError(.refused, "the file is not a journal of dray", file: path)
        case SQLITE_CORRUPT, SQLITE_MISMATCH:
            return DrayError(.corrupt, "the journal is damaged: \(text)", file: path)
        case SQLITE_FULL:
            return DrayError(.resource, "the journal cannot grow: \(text)", file: path)
        default:
            return DrayError(.resource, "\(what): \(text)", file: path)
        }
    }
}

/// A compiled statement of an ``SQLiteConnection``, which must outlive it.
@safe
final class SQLiteStatement {
    private let handle: OpaquePointer
    private let path: String

    @unsafe
    init(_ handle: OpaquePointer, path: String) {
        unsafe self.handle = handle
        self.path = path
    }

    deinit { unsafe sqlite3_finalize(handle) }

    /// Goes to the next row; false at the end.
    func step() throws(DrayError) -> Bool {
        let code = unsafe sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw SQLiteConnection.failure(code, "the journal cannot be used", path)
        }
    }

    /// Runs a statement that returns no rows, and makes it ready to run again.
    func run() throws(DrayError) {
        defer { reset() }
        _ = try step()
    }

    /// Makes it ready to run again.
    func reset() {
        unsafe sqlite3_reset(handle)
        unsafe sqlite3_clear_bindings(handle)
    }

    func bind(_ index: Int32, _ value: Int64) { unsafe sqlite3_bind_int64(handle, index, value) }

    func bind(_ index: Int32, _ value: String) { bind(index, Array(value.utf8), isText: true) }

    /// Binds bytes, which SQLite copies; nil binds null.
    func bind(_ index: Int32, _ value: [UInt8]?, isText: Bool = false) {
        guard let value else {
            unsafe sqlite3_bind_null(handle, index)
            return
        }
        // SQLITE_TRANSIENT, a macro that Swift does not import: SQLite copies before the call returns.
        let transient = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        let empty = value.isEmpty
        unsafe (empty ? [0] : value).withUnsafeBytes { bytes in
            let start = bytes.baseAddress
            let count = Int32(clamping: empty ? 0 : value.count)
            if isText {
                let text = unsafe start?.assumingMemoryBound(to: CChar.self)
                unsafe sqlite3_bind_text(handle, index, text, count, transient)
            } else {
                unsafe sqlite3_bind_blob(handle, index, start, count, transient)
            }
        }
    }

    func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

    /// A copy of a column's bytes; nil where it is null.
    func bytes(_ column: Int32) -> [UInt8]? {
        guard unsafe sqlite3_column_type(handle, column) != SQLITE_NULL else { return nil }
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        guard count > 0, let start = unsafe sqlite3_column_blob(handle, column) else { return [] }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }
}
