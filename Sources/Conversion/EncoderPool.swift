// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import DiskImage
internal import Synchronization

/// Keeps the encoders of a job's target for use again: as many as ever were in use at once.
final class EncoderPool: Sendable {
    /// An encoder that one thread uses.
    struct Lease: @unchecked Sendable {
        // @unchecked: whoever takes an encoder out uses it alone until it is put back; the list's lock orders the two.
        let encoder: any ClusterEncoder
    }

    private let idle = Mutex<[Lease]>([])

    /// Takes an encoder of `format` out.
    func take(_ format: any TargetFormat) -> Lease {
        idle.withLock { $0.popLast() } ?? Lease(encoder: format.makeEncoder())
    }

    /// Gives it back.
    func give(_ lease: Lease) { idle.withLock { $0.append(lease) } }
}
