// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Digest
internal import DiskImage
internal import Storage

/// One attempt at one range: chooses what the job's kind asks for.
struct RangeTask {
    /// The job's opened files.
    let context: JobContext
    /// The guest bytes.
    let range: GuestRange
    /// Cancellation, reservations, progress.
    let control: any TaskControl
    private let application: MemoryApplication

    /// One of a job's ranges; its place among those that wait for memory counts from here.
    init(context: JobContext, range: GuestRange, control: any TaskControl) {
        self.context = context
        self.range = range
        self.control = control
        application = MemoryBudget.process.apply(order: range.start.bytes)
    }

    /// Does the work.
    func run() throws(DrayError) -> RangeResult {
        try context.disk.reading(range, control.pulse) { () throws(DrayError) in
            guard let other = context.other else { return try work() }
            return try other.reading(range, control.pulse, work)
        }
    }

    private func work() throws(DrayError) -> RangeResult {
        if let target = context.target { return try copy(to: target) }
        if let other = context.other { return try compare(with: other) }
        return try checksum()
    }

    private func copy(to target: ConvertTarget) throws(DrayError) -> RangeResult {
        let storage = try target.storageForRange()
        let copy = RangeCopy(
            range: range,
            reader: SourceReader(context.disk),
            disk: context.disk,
            target: storage,
            sparseSize: target.spec.sparseSize,
            keepsSpace: target.format.keepsSpace,
            control: control,
            hasher: context.digest.map(RangeHasher.init)
        )
        var result = RangeResult(range: range, dataBytes: 0)
        switch target.format.placement {
        case .identity(let start):
            result.dataBytes = try withBuffer { buffer throws(DrayError) in
                try IdentityCopy(copy: copy, start: start, buffer: buffer).run()
            }
        case .allocated(let rules):
            try allocate(walk(copy, rules, target), &result)
        case .packed(let packing):
            try pack(walk(copy, packing.rules, target), packing, target, &result)
        }
        result.digest = copy.hasher?.finish()
        if target.spec.isDurable { try storage.flush() }
        return result
    }

    private func walk(
        _ copy: RangeCopy,
        _ rules: Allocation,
        _ target: ConvertTarget
    ) -> GranuleWalk {
        GranuleWalk(
            copy: copy,
            rules: rules,
            baseSize: target.baseSize,
            classification: target.classification,
            chunks: context.chunks
        )
    }

    private func allocate(_ walk: GranuleWalk, _ result: inout RangeResult) throws(DrayError) {
        let (dataBytes, placement) = try AllocatedCopy(walk: walk, takeMemory: takeMemory).run()
        result.dataBytes = dataBytes
        result.placement = placement
    }

    private func pack(
        _ walk: GranuleWalk,
        _ packing: Packing,
        _ target: ConvertTarget,
        _ result: inout RangeResult
    ) throws(DrayError) {
        let (dataBytes, placement) = try PackedCopy(
            walk: walk,
            packing: packing,
            format: target.format,
            alignment: target.placeAlignment,
            takeMemory: takeMemory
        ).run()
        result.dataBytes = dataBytes
        result.placement = placement
    }

    private func checksum() throws(DrayError) -> RangeResult {
        guard let digest = context.digest else {
            throw DrayError(.bug, "a checksum has a digest")
        }
        let hasher = RangeHasher(digest)
        var result = RangeResult(range: range, dataBytes: 0)
        result.dataBytes = try withBuffer { buffer throws(DrayError) in
            try RangeChecksum(
                range: range,
                disk: context.disk,
                reader: SourceReader(context.disk),
                buffer: buffer,
                control: control
            ).run(hasher)
        }
        result.digest = hasher.finish()
        return result
    }

    private func compare(with other: SourceDisk) throws(DrayError) -> RangeResult {
        let (mismatch, dataBytes) = try withBuffer { first throws(DrayError) in
            try context.chunks.withBuffer { second throws(DrayError) in
                try RangeComparison(
                    range: range,
                    first: .init(
                        disk: context.disk,
                        reader: SourceReader(context.disk),
                        buffer: first
                    ),
                    second: .init(disk: other, reader: SourceReader(other), buffer: second),
                    control: control
                ).run()
            }
        }
        var result = RangeResult(range: range, dataBytes: dataBytes)
        result.mismatch = mismatch
        return result
    }

    /// What the range needs of the process's memory. This may wait; the first ranges come first.
    private func takeMemory() throws(DrayError) -> MemoryLoan {
        try context.memory.lend(to: application, control.pulse)
    }

    /// Runs `body` with the range's memory: its buffer.
    private func withBuffer<R>(
        _ body: (AlignedBuffer) throws(DrayError) -> R
    ) throws(DrayError) -> R {
        let loan = try takeMemory()
        defer { loan.end() }
        return try body(loan.buffer)
    }
}
