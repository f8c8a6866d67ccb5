// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage
internal import Synchronization

/// What all streams of this process share: a bound on the memory for decoders and decoded chunks, and what streams were found to be.
package final class StreamRoom: Sendable {
    /// The one of this process.
    static let shared = StreamRoom(limit: 96 << 20)
    /// How long a stream that nobody reads keeps what it has, in milliseconds.
    static let idleTime = 10_000
    private static let mostIndexes = 2

    private struct Known {
        weak var stream: DecodedStream?
    }

    private struct Key: Hashable {
        let identity: StorageIdentity
        let length: UInt64
        let start: UInt64
        let kind: StreamKind
    }

    /// Bytes.
    let limit: Int
    /// Buffers of one chunk.
    let buffers = BufferPool(bufferSize: UnitSize.chunk)
    private let used = Atomic<Int>(0)
    private let known = Mutex<[Known]>([])
    private let indexes = Mutex<[(key: Key, index: StreamIndex)]>([])

    /// A room of `limit` bytes.
    package init(limit: Int) { self.limit = limit }

    /// Takes `bytes`, beyond the limit if need be: for what nothing goes on without.
    func take(_ bytes: Int) { used.add(bytes, ordering: .relaxed) }

    /// Takes `bytes` where there is room.
    func tryTake(_ bytes: Int) -> Bool {
        let (_, now) = used.add(bytes, ordering: .relaxed)
        guard now > limit else { return true }
        give(bytes)
        return false
    }

    /// Whether `bytes` could be taken now.
    func hasRoom(_ bytes: Int) -> Bool { used.load(ordering: .relaxed) + bytes <= limit }

    /// Gives `bytes` back.
    func give(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }

    /// Takes note of a stream that may hold memory.
    func add(_ stream: DecodedStream) {
        known.withLock { known in
            known.removeAll { $0.stream == nil }
            known.append(Known(stream: stream))
        }
    }

    /// Has streams that nobody reads give back what they hold. Not to be called with a stream's lock held.
    func reclaim() {
        let streams = known.withLock { known in known.compactMap(\.stream) }
        for stream in streams { stream.shed() }
    }

    /// What the stream in `storage` is: found once, and remembered as long as the file is the same.
    func index(
        of storage: any Storage,
        _ kind: StreamKind,
        _ pulse: Pulse
    ) throws(DrayError) -> StreamIndex {
        let key = Key(
            identity: try storage.identity(),
            length: storage.length,
            start: (storage as? StorageSlice)?.start ?? 0,
            kind: kind
        )
        if let known = indexes.withLock({ $0.first { $0.key == key }?.index }) { return known }
        let index = try StreamScan.index(of: storage, kind, pulse)
        guard try storage.identity() == key.identity else {
            let text = "the file changed while it was read; try again when nothing writes to it"
            throw DrayError(.changed, text, file: storage.name)
        }
        indexes.withLock { indexes in
            indexes.append((key, index))
            if indexes.count > Self.mostIndexes { indexes.removeFirst() }
        }
        return index
    }
}
