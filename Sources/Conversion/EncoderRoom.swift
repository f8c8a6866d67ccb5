// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage

/// Lends what a range of a packed target needs until it is encoded: an encoder of its target, and a buffer for what is read at a time.
///
/// There are as many as memory allows, whatever jobs they are for: high levels take much. Who has one reads and encodes, and waits for no place
/// and no buffer of a range, so that whoever wants one need not wait for long.
final class EncoderRoom: Sendable {
    /// How much memory all may take, in bytes; one is lent in any case.
    static let memoryLimit = 64 << 20

    /// An encoder and a buffer that one thread uses.
    struct Lease: @unchecked Sendable {
        // @unchecked: whoever takes a lease out uses it alone until it is put back; the list's lock orders the two.
        let encoder: any ClusterEncoder
        let input: AlignedBuffer
        fileprivate let packing: Packing
        fileprivate let memory: Int
    }

    private struct State {
        var idle: [Lease] = []
        /// Bytes of all, idle or not.
        var used = 0

        /// An idle one for ranges of these rules; or room for a new one, for which others make way. Nil where there is no room.
        mutating func take(_ packing: Packing, _ memory: Int) -> Turn? {
            if let index = idle.lastIndex(where: { $0.packing == packing }) {
                return .have(idle.remove(at: index))
            }
            while used > 0, used + memory > EncoderRoom.memoryLimit {
                guard !idle.isEmpty else { return nil }
                used -= idle.removeFirst().memory
            }
            used += memory
            return .make
        }
    }

    private enum Turn {
        case have(Lease)
        case make
    }

    private let state = Monitor(State())

    /// Takes one out for ranges of `format`, whose rules are `packing`. This may wait.
    func take(_ format: any TargetFormat, _ packing: Packing) -> Lease {
        let step = GranuleWalk.step(granule: packing.rules.granule)
        let memory = packing.encoderMemory + step
        while true {
            switch state.wait(milliseconds: 1000, { $0.take(packing, memory) }) {
            case .have(let lease): return lease
            case .make:
                return Lease(
                    encoder: format.makeEncoder(),
                    input: AlignedBuffer(count: step),
                    packing: packing,
                    memory: memory
                )
            case nil: continue
            }
        }
    }

    /// Gives it back.
    func give(_ lease: Lease) {
        state.withLock { $0.idle.append(lease) }
        state.wake()
    }
}
