// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Decodes a whole stream once, checks it, and keeps no more of it than a ``StreamIndex``.
struct StreamScan {
    private let storage: any Storage
    private let kind: StreamKind
    private let room: StreamRoom
    private let pulse: Pulse
    /// What the decoder was found to need, which is taken from the room.
    private var memory = 0
    private let buffer = AlignedBuffer(count: UnitSize.chunk)
    private var zeros = ZeroRuns()
    private let windows: Allotment?
    private var restarts: RestartPoints

    /// What is in `storage` from its first byte to its last is one stream of `kind`.
    ///
    /// Calls `pulse` about once a decoded chunk. Fails with `corrupt` where the stream is not whole and right, with `unsupported` where it
    /// asks for too much, or is no raw image inside.
    static func index(
        of storage: any Storage,
        _ kind: StreamKind,
        _ room: StreamRoom,
        _ pulse: Pulse
    ) throws(DrayError) -> StreamIndex {
        var scan = StreamScan(storage: storage, kind: kind, room: room, pulse: pulse)
        defer { scan.giveMemory() }
        return try scan.run()
    }

    private init(storage: any Storage, kind: StreamKind, room: StreamRoom, pulse: Pulse) {
        self.storage = storage
        self.kind = kind
        self.room = room
        self.pulse = pulse
        windows = kind == .gzip ? Allotment(of: .windows) : nil
        let limit = windows.map { $0.bytes / RestartPoints.windowSize } ?? 1 << 16
        restarts = RestartPoints(limit: limit)
    }

    private mutating func run() throws(DrayError) -> StreamIndex {
        let decoder = try kind.decoder(of: storage, at: .unit(0))
        var position: UInt64 = 0
        var filled = 0
        while !decoder.isAtEnd {
            try pulse.beat()
            let count = try decoder.decode(
                into: buffer,
                filled..<buffer.count,
                stopsToRestart: kind != .gzip || restarts.wants(position + UInt64(filled))
            )
            try takeMemory(decoder.memory)
            filled += count
            restarts.offer(position + UInt64(filled), decoder.restart())
            guard filled == buffer.count || decoder.isAtEnd else { continue }
            if position == 0 { try refuseOthers(filled) }
            noteZeros(position, filled)
            position += UInt64(filled)
            filled = 0
            guard position <= UnitSize.largestDisk else {
                let text =
                    "what is inside is larger than the largest disk, \(UnitSize.largestDisk) bytes"
                throw DrayError(.unsupported, text, file: storage.name)
            }
        }
        zeros.finish()
        windows?.shrink(to: restarts.windowMemory)
        try takeMemory(decoder.memory)
        return StreamIndex(
            length: position,
            zeros: zeros,
            restarts: restarts,
            windows: windows,
            decoderMemory: memory
        )
    }

    /// Waits until there is room for a decoder of so many bytes.
    private mutating func takeMemory(_ wanted: Int) throws(DrayError) {
        guard wanted > memory else { return }
        var patience = StreamPatience()
        var isUrgent = false
        // Said first, so that ranges of other jobs leave the room for it.
        room.demand(wanted)
        do throws(DrayError) {
            while !isUrgent && !room.keepsPromise
                || !room.tryTakeDecoder(wanted, held: memory, isUrgent: isUrgent)
            {
                try pulse.beat()
                room.reclaim(idleTime: StreamRoom.shortIdleTime)
                isUrgent = patience.isOver(activity: room.activity)
                _ = Monitor(0).wait(milliseconds: 20) { _ -> Bool? in nil }
            }
        } catch {
            room.withdraw(wanted)
            throw error
        }
        if memory > 0 { room.withdraw(memory) }
        memory = wanted
    }

    private func giveMemory() {
        guard memory > 0 else { return }
        room.giveDecoder(memory)
        room.withdraw(memory)
    }

    /// The inside must be a raw image: another format would be taken for its own content.
    private func refuseOthers(_ filled: Int) throws(DrayError) {
        let head = MemoryStorage(
            name: storage.name,
            bytes: buffer.bytes(0..<min(filled, ImageOpener.probedBytes))
        )
        let format = try ImageOpener.probe(head)
        guard format != .raw else { return }
        throw DrayError(
            .unsupported,
            "what is inside the \(kind) stream is not a raw image but \(format.rawValue); decompress it first",
            file: storage.name
        )
    }

    private mutating func noteZeros(_ position: UInt64, _ filled: Int) {
        guard filled > 0 else { return }
        buffer.forEachRun(of: 0..<filled, granule: UnitSize.block) { run, isZero in
            guard isZero else { return }
            zeros.append(position + UInt64(run.lowerBound)..<position + UInt64(run.upperBound))
        }
    }
}
