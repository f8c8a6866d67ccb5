// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import Synchronization

/// Answers reservations one behind the other, the same for a range that asks again.
final class TestControl: TaskControl {
    let next: Mutex<(offset: UInt64, given: [Int: HostOffset])>
    private let further: [PayloadStart]

    init(firstPayload: UInt64, further: [PayloadStart] = []) {
        next = Mutex((firstPayload, [:]))
        self.further = further
    }

    let cancelled = Atomic(false)
    let range = Atomic(0)
    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    func reserve(_ space: SpaceRequest) throws(DrayError) -> HostOffset {
        next.withLock { next in
            let index = range.load(ordering: .relaxed)
            if let known = next.given[index] { return known }
            // Ranges are run in order where there are further starts.
            if let start = further.last(where: { $0.range <= index }) {
                next.offset = max(next.offset, start.place.bytes)
            }
            let (start, end) = space.place(from: next.offset) ?? (0, 0)
            let offset = HostOffset(start)
            next.offset = end
            next.given[index] = offset
            return offset
        }
    }

    func progress(_ bytes: UInt64) {}
}
