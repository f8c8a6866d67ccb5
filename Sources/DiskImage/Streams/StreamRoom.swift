// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Storage
internal import Synchronization

/// What all streams of this process share: a bound on the memory for decoders and decoded chunks, and what streams were found to be.
package final class StreamRoom: Sendable {
    /// The one of this process.
    static let shared = StreamRoom(limit: 96 << 20, budget: .process)
    /// How long a stream that nobody reads keeps what it has, in milliseconds; and where another waits for its decoder.
    static let idleTime = 10_000
    static let shortIdleTime = 1000
    /// How much memory the decoders take that streams have at least, in bytes: who wants one more waits, unless it would be the only one.
    static let decoderMemory = 128 << 20
    /// How much of the process's memory is promised for chunks where there are streams, in bytes.
    static let chunkMemory = 16 << 20
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
    let buffers: BufferPool
    private let budget: MemoryBudget
    /// What decoders of each stream take that is open or scanned, in bytes.
    private let demands = Mutex<[Int]>([])
    private let used = Atomic<Int>(0)
    private let decoders = Atomic<Int>(0)
    /// Counts what those may wait for who want a decoder.
    private let changes = Atomic<Int>(0)
    private let known = Mutex<[Known]>([])
    private let queued = Mutex<Set<UInt>>([])
    private let indexes = Mutex<[(key: Key, index: StreamIndex)]>([])

    /// A room of `limit` bytes, which are taken from `budget`: one that is large enough unless told otherwise.
    package init(limit: Int, budget: MemoryBudget = MemoryBudget(limit: 1 << 40)) {
        self.limit = limit
        self.budget = budget
        buffers = BufferPool(bufferSize: UnitSize.chunk, budget: budget)
    }

    /// Counts `bytes` that an open stream keeps; negative when it goes.
    func keep(_ bytes: Int) { budget.keep(bytes) }

    /// Takes note that there is a stream whose decoder takes so many bytes, so that others leave room for it.
    func demand(_ bytes: Int) { change(demands: { $0.append(bytes) }) }

    /// The stream is gone.
    func withdraw(_ bytes: Int) {
        change(demands: { demands in
            if let place = demands.firstIndex(of: bytes) { demands.remove(at: place) }
        })
    }

    private func change(demands change: (inout [Int]) -> Void) {
        demands.withLock { demands in
            change(&demands)
            let largest = demands.max() ?? 0
            let decoders = min(demands.reduce(0, +), max(largest, Self.decoderMemory))
            budget.promise(decoders: decoders, chunks: demands.isEmpty ? 0 : Self.chunkMemory)
        }
    }

    /// How often anything was taken or given back.
    var activity: Int { changes.load(ordering: .relaxed) }

    /// Takes memory for a decoder of `bytes` that a stream has at least, which has `held` already. False where there is none, but with
    /// `isUrgent`.
    func tryTakeDecoder(_ bytes: Int, held: Int = 0, isUrgent: Bool = false) -> Bool {
        var now = decoders.load(ordering: .relaxed)
        while true {
            let others = now - held
            guard isUrgent || others <= 0 || others + bytes <= Self.decoderMemory else {
                return false
            }
            let (isDone, found) = decoders.weakCompareExchange(
                expected: now,
                desired: others + bytes,
                ordering: .relaxed
            )
            if isDone { break }
            now = found
        }
        budget.decode(bytes - held)
        note(used: bytes - held)
        return true
    }

    /// Gives back what ``tryTakeDecoder(_:held:isUrgent:)`` took.
    func giveDecoder(_ bytes: Int) {
        decoders.subtract(bytes, ordering: .relaxed)
        budget.decode(-bytes)
        note(used: -bytes)
    }

    /// Whether what is promised to streams is there.
    var keepsPromise: Bool { budget.keepsPromise }

    /// Takes `bytes`, beyond the limit if need be: for what nothing goes on without.
    func take(_ bytes: Int) {
        budget.share(bytes)
        note(used: bytes)
    }

    private func note(used bytes: Int) {
        used.add(bytes, ordering: .relaxed)
        changes.add(1, ordering: .relaxed)
    }

    /// Takes `bytes` where there is room.
    func tryTake(_ bytes: Int) -> Bool {
        let (_, now) = used.add(bytes, ordering: .relaxed)
        if now <= limit, budget.tryShare(bytes) { return true }
        used.subtract(bytes, ordering: .relaxed)
        return false
    }

    /// Whether `bytes` could be taken now.
    func hasRoom(_ bytes: Int) -> Bool {
        used.load(ordering: .relaxed) + bytes <= limit && budget.canShare(bytes)
    }

    /// Whether what is promised to streams has room for `bytes`.
    func hasPromised(_ bytes: Int) -> Bool { budget.canShare(bytes, isPromised: true) }

    /// Gives `bytes` back.
    func give(_ bytes: Int) {
        budget.share(-bytes)
        note(used: -bytes)
    }

    /// Takes note of a stream that may hold memory.
    func add(_ stream: DecodedStream) {
        known.withLock { known in
            known.removeAll { $0.stream == nil }
            known.append(Known(stream: stream))
        }
    }

    /// Has streams that nobody reads for `idleTime` give back what they hold. Not to be called with a stream's lock held.
    func reclaim(idleTime: Int = StreamRoom.idleTime) {
        let streams = known.withLock { known in known.compactMap(\.stream) }
        let elsewhere = queued.withLock { $0 }
        for stream in streams { stream.shed(idleTime: idleTime, elsewhere: elsewhere) }
    }

    /// Takes note that a thread waits for room, or does no longer.
    func note(_ thread: UInt, isQueued: Bool) {
        queued.withLock { queued in
            if isQueued { queued.insert(thread) } else { queued.remove(thread) }
        }
    }

    /// Whether a thread needs decoders of another stream than this one, too: they are not given back before the thread goes on.
    func isNeeded(on thread: UInt, besides stream: DecodedStream) -> Bool {
        let streams = known.withLock { known in known.compactMap(\.stream) }
        return streams.contains { $0 !== stream && $0.isNeeded(on: thread) }
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
        let index = try StreamScan.index(of: storage, kind, self, pulse)
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
