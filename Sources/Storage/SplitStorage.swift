// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Synchronization

/// Several files as one: file k has the bytes from k times ``stride`` on. For the payload of targets that have several files.
///
/// Files are opened when they are first needed, and few stay open: what is closed is flushed before.
package final class SplitStorage: Storage {
    /// An open file.
    private struct Opened {
        let storage: any Storage
        /// How many calls use it now.
        var users = 0
        /// When it was last taken.
        var taken: UInt64 = 0
    }

    private struct State {
        var files: [Int: Opened] = [:]
        var clock: UInt64 = 0
    }

    /// How many files stay open.
    package static let mostOpen = 64

    /// The distance from the start of one file to that of the next, in bytes.
    package let stride: UInt64
    private let first: any Storage
    private let open: @Sendable (Int) throws(DrayError) -> any Storage
    private let state = Mutex(State())

    /// Joins files that `open` opens by their index; the first is opened at once. None may be longer than `stride`.
    package init(
        stride: UInt64,
        open: @escaping @Sendable (Int) throws(DrayError) -> any Storage
    ) throws(DrayError) {
        precondition(stride > 0, "files follow each other")
        self.stride = stride
        self.open = open
        first = try open(0)
    }

    package var name: String { first.name }
    /// The end of all addresses: how long the files are shows when they are read.
    package var length: UInt64 { UInt64(Int64.max) }
    package var alignment: IOAlignment { first.alignment }
    package var isZeroInitialized: Bool { first.isZeroInitialized }

    package func read(_ offset: HostOffset, into buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        try forEachPiece(offset, UInt64(range.count)) {
            file,
            place,
            done,
            count throws(DrayError) in
            let start = range.lowerBound + Int(done)
            try file.read(place, into: buffer, start..<start + Int(count))
        }
    }

    package func write(_ offset: HostOffset, from buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        try forEachPiece(offset, UInt64(range.count)) {
            file,
            place,
            done,
            count throws(DrayError) in
            let start = range.lowerBound + Int(done)
            try file.write(place, from: buffer, start..<start + Int(count))
        }
    }

    package func extent(at offset: HostOffset, limit: UInt64) throws(DrayError) -> StorageExtent {
        let inside = offset.bytes % stride
        return try withFile(Int(offset.bytes / stride)) { file throws(DrayError) in
            try file.extent(at: HostOffset(inside), limit: min(limit, stride - inside))
        }
    }

    package func zero(_ offset: HostOffset, length: UInt64, mayPunch: Bool) throws(DrayError) {
        try forEachPiece(offset, length) { file, place, _, count throws(DrayError) in
            try file.zero(place, length: count, mayPunch: mayPunch)
        }
    }

    package func reserve(_ offset: HostOffset, length: UInt64) throws(DrayError) {
        try forEachPiece(offset, length) { file, place, _, count throws(DrayError) in
            try file.reserve(place, length: count)
        }
    }

    /// Fails with `bug`: the length of each file is its own.
    package func resize(_ length: UInt64) throws(DrayError) {
        throw DrayError(.bug, "a target of several files has no length of its own", file: name)
    }

    package func flush() throws(DrayError) {
        let opened = state.withLock { Array($0.files.keys) }
        for index in opened {
            try withFile(index) { file throws(DrayError) in try file.flush() }
        }
        try first.flush()
    }

    package func identity() throws(DrayError) -> StorageIdentity { try first.identity() }

    private func forEachPiece(
        _ offset: HostOffset,
        _ length: UInt64,
        _ body: (_ file: any Storage, _ place: HostOffset, _ done: UInt64, _ count: UInt64)
            throws(DrayError) -> Void
    ) throws(DrayError) {
        _ = try checkedEnd(offset, length)
        var done: UInt64 = 0
        while done < length {
            let position = offset.bytes + done
            let inside = position % stride
            let count = min(length - done, stride - inside)
            try withFile(Int(position / stride)) { file throws(DrayError) in
                try body(file, HostOffset(inside), done, count)
            }
            done += count
        }
    }

    private func withFile<R>(
        _ index: Int,
        _ body: (any Storage) throws(DrayError) -> R
    ) throws(DrayError) -> R {
        guard index > 0 else { return try body(first) }
        let file = try take(index)
        defer { state.withLock { $0.files[index]?.users -= 1 } }
        return try body(file)
    }

    private func take(_ index: Int) throws(DrayError) -> any Storage {
        try state.withLock { state throws(DrayError) in
            state.clock += 1
            if state.files[index] == nil {
                try Self.makeRoom(&state)
                state.files[index] = Opened(storage: try open(index))
            }
            guard let storage = state.files[index]?.storage else { return first }
            state.files[index]?.users += 1
            state.files[index]?.taken = state.clock
            return storage
        }
    }

    /// Closes the file that was not used for longest, where there are many.
    private static func makeRoom(_ state: inout State) throws(DrayError) {
        guard state.files.count >= mostOpen else { return }
        let idle = state.files.filter { $0.value.users == 0 }
        guard let oldest = idle.min(by: { $0.value.taken < $1.value.taken }) else { return }
        try oldest.value.storage.flush()
        state.files[oldest.key] = nil
    }
}
