// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// A decoder somewhere in its stream. Whoever made it busy uses it alone.
final class StreamCursor {
    /// Nil while it is being made.
    var decoder: (any ForwardDecoder)?
    /// Where the decoded bytes go on.
    var position: UInt64
    /// Whether a thread uses it.
    var isBusy = true

    /// A cursor that is busy.
    init(position: UInt64) { self.position = position }
}

/// A decoded chunk of a stream, for as long as somebody holds it.
final class DecodedChunk {
    /// The bytes.
    let buffer: AlignedBuffer
    /// How many of them are data that was not read yet.
    var unread: UInt64 = 0
    private let pool: BufferPool

    /// A chunk in a buffer of `pool`, which gets it back.
    init(pool: BufferPool) {
        self.pool = pool
        buffer = pool.take()
    }

    deinit { pool.give(buffer) }
}

/// Somebody who reads a stretch of a stream from its beginning to its end.
struct StreamReader {
    /// Tells it from others.
    let id: Int
    /// The thread that reads.
    let thread: UInt
    /// What it will read.
    let bytes: Range<UInt64>
    /// Its sign of life.
    let pulse: Pulse
    /// What it has read.
    var position: UInt64

    /// Whether it has read anything.
    var hasBegun: Bool { position > bytes.lowerBound }
}
