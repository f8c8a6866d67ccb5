// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The records of one partition that are in memory: a run of offsets from `base`, some of them dropped.
struct PartitionBuffer {
    /// What becomes of records.
    let policy: TopicSpec.Policy
    /// The offset of the first slot.
    private(set) var base: Int64
    private var slots: [LogRecord?] = []
    private var head = 0
    private var latest: [[UInt8]: Int64] = [:]

    init(policy: TopicSpec.Policy, base: Int64) {
        self.policy = policy
        self.base = base
    }

    /// The offset that the next record gets.
    var end: Int64 { base + Int64(slots.count - head) }

    /// Adds a record at the end; says which older record it makes obsolete.
    mutating func append(_ record: LogRecord) -> Int64? {
        precondition(record.offset >= end, "a partition grows at its end")
        while end < record.offset { slots.append(nil) }
        slots.append(record)
        guard policy == .compacted, let key = record.key else { return nil }
        let old = latest.updateValue(record.offset, forKey: key)
        if let old { remove(old) }
        return old
    }

    /// The first record at or behind `offset`.
    func next(from offset: Int64) -> LogRecord? {
        var position = max(offset, base)
        while position < end {
            if let record = slots[head + Int(position - base)] { return record }
            position += 1
        }
        return nil
    }

    /// Drops everything before `offset`.
    mutating func trim(below offset: Int64) {
        while base < offset, head < slots.count {
            slots[head] = nil
            head += 1
            base += 1
        }
        shrink()
    }

    private mutating func remove(_ offset: Int64) {
        guard offset >= base, offset < end else { return }
        slots[head + Int(offset - base)] = nil
        while head < slots.count, slots[head] == nil {
            head += 1
            base += 1
        }
        shrink()
    }

    private mutating func shrink() {
        guard head > 64, head * 2 > slots.count else { return }
        slots.removeFirst(head)
        head = 0
    }
}
