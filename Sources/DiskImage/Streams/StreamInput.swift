// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Reads a storage from some place to its end, through a buffer of its own. For one thread at a time.
final class StreamInput {
    /// How much is read at once, in bytes.
    static let bufferSize = 256 << 10

    private let storage: any Storage
    private let buffer = AlignedBuffer(count: bufferSize)
    private let length: UInt64
    /// What is in the buffer and was not taken yet.
    private var present = 0..<0
    /// Where the buffer's content ends in the storage.
    private var next: UInt64
    /// How often the storage was read.
    private(set) var reads = 0

    /// Begins at `position`.
    init(_ storage: any Storage, at position: UInt64) {
        self.storage = storage
        length = storage.length
        next = position
    }

    /// What the storage is called in messages.
    var name: String { storage.name }

    /// Where the first byte that was not taken yet is in the storage.
    var position: UInt64 { next - UInt64(present.count) }

    /// Whether everything is taken.
    var isAtEnd: Bool { present.isEmpty && next >= length }

    /// Lends what is in the buffer, which has at least one byte where the storage has, and takes the bytes that `body` says it used.
    func withBytes<R>(
        _ body: (UnsafeRawBufferPointer) -> (used: Int, result: R)
    ) throws(DrayError) -> R {
        if present.isEmpty { try fill() }
        let (used, result) = unsafe buffer.withBytes(present) { bytes in unsafe body(bytes) }
        present = present.dropFirst(used)
        return result
    }

    /// The next bytes, at most `count` (and at most 4096): fewer at the end. They are not taken.
    func peek(_ count: Int) throws(DrayError) -> [UInt8] {
        precondition(count <= 4096, "only heads are looked at")
        if present.count < count { try fill() }
        return buffer.bytes(present.prefix(count))
    }

    /// Whether what comes next is `magic`, as far as the storage goes: where it ends early, what is there is its beginning.
    func continues(with magic: [UInt8]) throws(DrayError) -> Bool {
        magic.starts(with: try peek(magic.count))
    }

    /// Takes `count` bytes (at most 4096), or nothing and says nil where there are not so many.
    func take(_ count: Int) throws(DrayError) -> [UInt8]? {
        let bytes = try peek(count)
        guard bytes.count == count else { return nil }
        present = present.dropFirst(count)
        return bytes
    }

    /// Passes over `count` bytes; false where there are not so many.
    func skip(_ count: UInt64) -> Bool {
        guard let target = position.adding(count), target <= length else { return false }
        if count <= UInt64(present.count) {
            present = present.dropFirst(Int(count))
        } else {
            present = 0..<0
            next = target
        }
        return true
    }

    /// Reads behind what is there still.
    private func fill() throws(DrayError) {
        let kept = present.count
        buffer.copy(buffer, present, to: 0)
        present = 0..<kept
        let count = Int(min(length.subtractingOrZero(next), UInt64(Self.bufferSize - kept)))
        guard count > 0 else { return }
        try storage.read(HostOffset(next), into: buffer, kept..<kept + count)
        reads += 1
        next += UInt64(count)
        present = 0..<kept + count
    }
}
