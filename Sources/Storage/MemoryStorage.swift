// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Synchronization

/// A storage in memory: for tests and simulation. Only the pages that were written take memory.
package final class MemoryStorage: Storage {
    /// A call that a test may let fail.
    package enum Call: String, Sendable, CaseIterable {
        case read
        case write
        case extent
        case zero
        case reserve
        case resize
        case flush
        case identity
    }

    /// Asked before each call, with its offset and length; an error that it returns is thrown instead of the call.
    package typealias Fault = @Sendable (Call, _ offset: UInt64, _ length: UInt64) -> DrayError?

    private struct State {
        var pages: [UInt64: AlignedBuffer] = [:]
        var length: UInt64
        /// Counts changes of content: the time of the last change, to those who ask for the identity.
        var version: Int64 = 0
        var fault: Fault?
    }

    /// The unit in which memory is taken, in bytes.
    package static let pageSize = 64 << 10

    package let name: String
    package let alignment = IOAlignment.none
    package let isZeroInitialized: Bool
    private let state: Mutex<State>

    /// Makes a storage of `length` zero bytes.
    package init(name: String = "memory", length: UInt64 = 0, isZeroInitialized: Bool = true) {
        self.name = name
        self.isZeroInitialized = isZeroInitialized
        state = Mutex(State(length: length))
    }

    /// Makes a storage that holds `bytes`.
    package convenience init(name: String = "memory", bytes: [UInt8]) {
        self.init(name: name, length: UInt64(bytes.count))
        guard !bytes.isEmpty else { return }
        let buffer = AlignedBuffer(count: bytes.count)
        buffer.copy(bytes, to: 0)
        state.withLock { Self.store(&$0, 0, buffer, 0..<bytes.count) }
    }

    package var length: UInt64 { state.withLock { $0.length } }

    /// How many bytes of memory the content takes: pages times their size.
    package var allocatedBytes: UInt64 {
        state.withLock { UInt64($0.pages.count) * UInt64(Self.pageSize) }
    }

    /// The whole content. For tests with small storages.
    package var bytes: [UInt8] {
        state.withLock { state in
            guard state.length > 0 else { return [] }
            let buffer = AlignedBuffer(count: Int(state.length))
            Self.load(state, 0, buffer, 0..<buffer.count)
            return buffer.bytes(0..<buffer.count)
        }
    }

    /// Sets who is asked before each call whether it shall fail; nil lets all succeed.
    package func setFault(_ fault: Fault?) { state.withLock { $0.fault = fault } }

    package func read(_ offset: HostOffset, into buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        try checkFault(.read, offset, UInt64(range.count))
        guard !range.isEmpty else { return }
        try checkInside(offset, range.count, of: length)
        state.withLock { Self.load($0, offset.bytes, buffer, range) }
    }

    package func write(_ offset: HostOffset, from buffer: AlignedBuffer, _ range: Range<Int>)
        throws(DrayError)
    {
        try checkFault(.write, offset, UInt64(range.count))
        guard !range.isEmpty else { return }
        let end = try checkedEnd(offset, UInt64(range.count))
        state.withLock { state in
            Self.store(&state, offset.bytes, buffer, range)
            state.length = max(state.length, end)
            state.version += 1
        }
    }

    package func extent(at offset: HostOffset, limit: UInt64) throws(DrayError) -> StorageExtent {
        try checkFault(.extent, offset, limit)
        return try state.withLock { state throws(DrayError) in
            guard offset.bytes < state.length, limit > 0 else {
                throw DrayError(.corrupt, "nothing lies here", file: name, offset: offset.bytes)
            }
            let end = offset.bytes + min(limit, state.length - offset.bytes)
            let size = UInt64(Self.pageSize)
            var page = offset.bytes / size
            let isData = state.pages[page] != nil
            repeat { page += 1 } while page * size < end && (state.pages[page] != nil) == isData
            return StorageExtent(isData: isData, length: min(end, page * size) - offset.bytes)
        }
    }

    package func zero(_ offset: HostOffset, length: UInt64, mayPunch: Bool) throws(DrayError) {
        try checkFault(.zero, offset, length)
        let end = try checkedEnd(offset, length)
        state.withLock { state in
            let size = UInt64(Self.pageSize)
            for (page, buffer) in state.pages {
                let first = page * size
                guard first < end, first + size > offset.bytes else { continue }
                if mayPunch && first >= offset.bytes && first + size <= end {
                    state.pages[page] = nil
                } else {
                    let from = max(offset.bytes, first) - first
                    buffer.zero(Int(from)..<Int(min(end - first, size)))
                }
            }
            state.length = max(state.length, end)
            state.version += 1
        }
    }

    package func reserve(_ offset: HostOffset, length: UInt64) throws(DrayError) {
        try checkFault(.reserve, offset, length)
        let end = try checkedEnd(offset, length)
        state.withLock { $0.length = max($0.length, end) }
    }

    package func resize(_ length: UInt64) throws(DrayError) {
        try checkFault(.resize, HostOffset(0), length)
        let old = self.length
        if length < old { try zero(HostOffset(length), length: old - length, mayPunch: true) }
        state.withLock { state in
            state.length = length
            state.version += 1
        }
    }

    package func flush() throws(DrayError) { try checkFault(.flush, HostOffset(0), 0) }

    package func identity() throws(DrayError) -> StorageIdentity {
        try checkFault(.identity, HostOffset(0), 0)
        return state.withLock { state in
            StorageIdentity(
                name: name,
                size: state.length,
                modifiedNanoseconds: state.version,
                device: 0,
                inode: 0
            )
        }
    }

    private func checkFault(_ call: Call, _ offset: HostOffset, _ length: UInt64)
        throws(DrayError)
    {
        let fault = state.withLock { $0.fault }
        if let error = fault?(call, offset.bytes, length) { throw error.at(file: name) }
    }

    private static func load(
        _ state: borrowing State,
        _ offset: UInt64,
        _ buffer: AlignedBuffer,
        _ range: Range<Int>
    ) {
        forEachPage(offset, range) { page, inPage, inBuffer in
            if let stored = state.pages[page] {
                buffer.copy(stored, inPage, to: inBuffer.lowerBound)
            } else {
                buffer.zero(inBuffer)
            }
        }
    }

    private static func store(
        _ state: inout State,
        _ offset: UInt64,
        _ buffer: AlignedBuffer,
        _ range: Range<Int>
    ) {
        forEachPage(offset, range) { page, inPage, inBuffer in
            let stored = state.pages[page] ?? blankPage()
            stored.copy(buffer, inBuffer, to: inPage.lowerBound)
            state.pages[page] = stored
        }
    }

    private static func blankPage() -> AlignedBuffer {
        let page = AlignedBuffer(count: pageSize)
        page.zero(0..<pageSize)
        return page
    }

    private static func forEachPage(
        _ offset: UInt64,
        _ range: Range<Int>,
        _ body: (_ page: UInt64, _ inPage: Range<Int>, _ inBuffer: Range<Int>) -> Void
    ) {
        var done = 0
        while done < range.count {
            let place = offset + UInt64(done)
            let start = Int(place % UInt64(pageSize))
            let count = min(range.count - done, pageSize - start)
            let from = range.lowerBound + done
            body(place / UInt64(pageSize), start..<start + count, from..<from + count)
            done += count
        }
    }
}
