// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// What decoding a whole stream once tells: how long it is, where it is zero, and where decoding can begin again.
struct StreamIndex: Sendable {
    /// Decoded bytes.
    let length: UInt64
    /// Where they are zeros.
    let zeros: ZeroRuns
    /// Where decoding can begin.
    let restarts: RestartPoints
    /// What the windows of gzip's places take.
    let windows: Allotment?
    /// The most memory that a decoder of this stream takes, in bytes.
    let decoderMemory: Int

    /// How much memory the index takes besides ``windows``, in bytes.
    var memory: Int { zeros.memory + restarts.placeMemory }
}
