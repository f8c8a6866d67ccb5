// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Decodes a stream from some place on. For one thread at a time.
///
/// What the stream has to say about itself is checked on the way where decoding began at its start: checks, sizes, magic numbers.
protocol ForwardDecoder: AnyObject {
    /// The compressed file, from where it is decoded on.
    var input: StreamInput { get }

    /// Goes on a little: over what stands between pieces of content, or by content for `range` of `buffer`, which has room. Says how many
    /// bytes it gave, and whether they end where decoding could begin too; a deflate block's end counts only with `stopsToRestart`.
    /// Not asked at the end. Fails with `corrupt` or `unsupported`, naming the place in the compressed file.
    func advance(
        into buffer: AlignedBuffer,
        _ range: Range<Int>,
        stopsToRestart: Bool
    ) throws(DrayError) -> (produced: Int, isRestart: Bool)

    /// Whether everything is decoded.
    var isAtEnd: Bool { get }

    /// How decoding can begin where it is now; nil where it cannot.
    func restart() -> StreamRestart?

    /// The bytes of memory that the decoder needs, as far as known by now.
    var memory: Int { get }
}

extension ForwardDecoder {
    /// Decodes into `range` of `buffer`, and says how many bytes.
    ///
    /// Less than all, perhaps nothing: at the end; with `stopsToRestart` at each place from which decoding could begin too; where much input
    /// gives little; and before what needs more memory than was known. Fails as ``advance(into:_:stopsToRestart:)`` does.
    func decode(
        into buffer: AlignedBuffer,
        _ range: Range<Int>,
        stopsToRestart: Bool
    ) throws(DrayError) -> Int {
        var filled = range.lowerBound
        let lastRead = input.reads + StreamLimit.readsAtOnce
        let known = memory
        while filled < range.upperBound, input.reads < lastRead, !isAtEnd {
            let rest = filled..<range.upperBound
            let step = try advance(into: buffer, rest, stopsToRestart: stopsToRestart)
            filled += step.produced
            if stopsToRestart && step.isRestart || memory > known { break }
        }
        return filled - range.lowerBound
    }

    /// The error about what is wrong at `offset` of the compressed file.
    func corrupt(_ text: String, _ offset: UInt64) -> DrayError {
        DrayError(.corrupt, text, file: input.name, offset: offset)
    }
}

/// How to begin in the middle of a stream.
package enum StreamRestart: Sendable {
    /// At a host offset where a gzip member, an xz stream or a zstd frame begins.
    case unit(UInt64)
    /// At a host offset where a block of an xz stream begins that has this check (2.1.1.2).
    case xzBlock(UInt64, check: UInt32)
    /// At a deflate block, which begins `bits` bits before a host offset. `window` is what was decoded last before it, at most 32 KiB.
    case deflateBlock(UInt64, bits: Int, window: [UInt8])
}

/// The limits of what a stream may ask for.
enum StreamLimit {
    /// The largest window of a zstd frame, in bytes: what zstd decodes without being told to (`--long=27`).
    static let zstdWindow: UInt64 = 128 << 20
    /// The most memory that decoding xz may take, in bytes: twice what `xz -9` asks for.
    static let xzMemory: UInt64 = 136 << 20
    /// How often input is read before a decoder that gives nothing returns.
    static let readsAtOnce = 16
}

extension StreamKind {
    /// A decoder that begins as `restart` says; its stream's start is `.unit(0)`.
    func decoder(of storage: any Storage, at restart: StreamRestart) throws(DrayError)
        -> any ForwardDecoder
    {
        switch self {
        case .gzip: try GzipDecoder(storage, at: restart)
        case .xz: XZDecoder(storage, at: restart)
        case .zstd: ZstdStreamDecoder(storage, at: restart)
        }
    }
}
