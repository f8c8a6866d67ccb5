// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// What of a new image is given space before payload is written: the values of qemu-img's `preallocation`.
package enum Preallocation: String, Sendable, Codable, CaseIterable {
    /// Nothing.
    case off
    /// The tables describe a place for every cluster; the payload's space is taken as it is written.
    case metadata
    /// Space is reserved for all payload.
    case falloc
    /// Zeros are written over the space of all payload.
    case full
}

extension Preallocation {
    /// How much is written at a time by `full`, in bytes.
    private static let step = 4 << 20

    /// Whether space is taken, not only described.
    var takesSpace: Bool { self == .falloc || self == .full }

    /// Gives the stretch of a target its space. A target that is written in place is prepared again when its job goes on after it was
    /// cut off: what was written to it stays.
    func apply(
        to storage: any Storage,
        _ start: HostOffset,
        length: UInt64
    ) throws(DrayError) {
        guard length > 0 else { return }
        switch self {
        case .off: return
        case .metadata: try storage.resize(start.bytes + length)
        case .falloc: try storage.reserve(start, length: length)
        // Where a target does not read as zeros by itself, the payload's zeros are written with the payload.
        case .full where storage.isZeroInitialized: try writeZeros(storage, start, length)
        case .full: return
        }
    }

    private func writeZeros(_ storage: any Storage, _ start: HostOffset, _ length: UInt64)
        throws(DrayError)
    {
        let buffer = AlignedBuffer(count: Int(min(length, UInt64(Self.step))))
        buffer.zero(0..<buffer.count)
        var done: UInt64 = 0
        while done < length {
            let count = Int(min(length - done, UInt64(buffer.count)))
            try storage.write(start + done, from: buffer, 0..<count)
            done += UInt64(count)
        }
    }
}
