// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import CLinux
internal import Glibc
internal import Synchronization

/// Which kinds of fallocate(2) a file system has refused: those are not tried again.
final class FileAbilities: Sendable {
    /// A kind of fallocate(2).
    enum Call: Int {
        case punchHole
        case zeroRange
        case allocate
    }

    private let refused = Atomic<Int>(0)

    /// Makes the call, unless it was refused before. False where the file system does not have it.
    func fallocate(
        _ call: Call,
        _ storage: FileStorage,
        _ range: Range<UInt64>
    ) throws(DrayError) -> Bool {
        let bit = 1 << call.rawValue
        guard refused.load(ordering: .relaxed) & bit == 0 else { return false }
        let mode =
            switch call {
            case .punchHole: dray_FALLOC_FL_PUNCH_HOLE | dray_FALLOC_FL_KEEP_SIZE
            case .zeroRange: dray_FALLOC_FL_ZERO_RANGE
            case .allocate: Int32(0)
            }
        let result = systemCall {
            dray_fallocate(
                storage.io.descriptor.number,
                mode,
                Int64(range.lowerBound),
                Int64(range.count)
            )
        }
        guard case .failure(let error) = result else { return true }
        switch error.number {
        case EOPNOTSUPP, ENOSYS, EINVAL, EPERM:
            refused.bitwiseOr(bit, ordering: .relaxed)
            return false
        default:
            throw DrayError(
                .resource,
                "cannot reserve or zero \(range.count) bytes",
                file: storage.name,
                offset: range.lowerBound,
                errno: error.number
            )
        }
    }
}

extension FileStorage {
    package func zero(_ offset: HostOffset, length: UInt64, mayPunch: Bool) throws(DrayError) {
        guard length > 0 else { return }
        let end = try checkedEnd(offset, length)
        // What the file does not have yet reads as zeros once the file is long enough.
        let old = self.length
        if end > old { try grow(to: end) }
        guard offset.bytes < old else { return }
        let range = offset.bytes..<min(end, old)
        if try zeroByMetadata(range, mayPunch: mayPunch) { return }
        try writeZeros(offset, length: UInt64(range.count))
    }

    private func zeroByMetadata(_ range: Range<UInt64>, mayPunch: Bool) throws(DrayError) -> Bool {
        if mayPunch { return try abilities.fallocate(.punchHole, self, range) }
        if try abilities.fallocate(.zeroRange, self, range) { return true }
        // tmpfs has no ZERO_RANGE: a hole that is given space again is the same.
        guard try abilities.fallocate(.punchHole, self, range) else { return false }
        _ = try abilities.fallocate(.allocate, self, range)
        return true
    }

    package func reserve(_ offset: HostOffset, length: UInt64) throws(DrayError) {
        guard length > 0 else { return }
        let end = try checkedEnd(offset, length)
        let old = self.length
        try grow(to: end)
        if try abilities.fallocate(.allocate, self, offset.bytes..<end) { return }
        // As posix_fallocate(3) would, but without a read and a write for each block: only what lay beyond the file's end
        // is known to hold nothing, and only that is written.
        if end > old {
            try writeZeros(HostOffset(max(old, offset.bytes)), length: end - max(old, offset.bytes))
        }
    }
}
