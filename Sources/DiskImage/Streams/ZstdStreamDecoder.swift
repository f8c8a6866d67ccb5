// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CZstd
internal import Storage

/// Decodes zstd frames one behind the other, and passes over skippable ones (RFC 8878). Checksums are checked where frames have them.
@safe
final class ZstdStreamDecoder: ForwardDecoder {
    private enum Phase {
        case between
        case body
        case ended
    }

    let input: StreamInput
    private let state: OpaquePointer
    private var phase = Phase.between
    private var window: UInt64 = 8 << 20

    /// A decoder of `storage` from `restart` on.
    init(_ storage: any Storage, at restart: StreamRestart) {
        guard case .unit(let host) = restart else {
            preconditionFailure("a zstd stream begins at a frame")
        }
        guard let state = unsafe ZSTD_createDCtx() else {
            preconditionFailure("no memory for a zstd decoder")
        }
        input = StreamInput(storage, at: host)
        unsafe self.state = state
        let limit = Int32(StreamLimit.zstdWindow.trailingZeroBitCount)
        let result = unsafe ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, limit)
        precondition(ZSTD_isError(result) == 0, "zstd takes the window limit \(limit)")
    }

    deinit { unsafe ZSTD_freeDCtx(state) }

    var isAtEnd: Bool { phase == .ended }

    /// The window, two blocks of 128 KiB, the decoder's tables and the input buffer.
    var memory: Int { Int(window) + StreamInput.bufferSize + (512 << 10) }

    func restart() -> StreamRestart? { phase == .between ? .unit(input.position) : nil }

    func advance(
        into buffer: AlignedBuffer,
        _ range: Range<Int>,
        stopsToRestart: Bool
    ) throws(DrayError) -> (produced: Int, isRestart: Bool) {
        switch phase {
        case .ended: return (0, false)
        case .between:
            phase = try beginFrame() ? .body : .ended
            return (0, false)
        case .body: return (try step(into: buffer, range), phase == .between)
        }
    }

    private func step(into buffer: AlignedBuffer, _ range: Range<Int>) throws(DrayError) -> Int {
        let isCutOff = input.isAtEnd
        let start = input.position
        let (code, produced) = try unsafe input.withBytes { from in
            unsafe buffer.withMutableBytes(range) { to in
                var source = unsafe ZSTD_inBuffer(src: from.baseAddress, size: from.count, pos: 0)
                var target = unsafe ZSTD_outBuffer(dst: to.baseAddress, size: to.count, pos: 0)
                let code = unsafe ZSTD_decompressStream(state, &target, &source)
                return unsafe (source.pos, (code, target.pos))
            }
        }
        guard ZSTD_isError(code) == 0 else {
            let text = unsafe String(cString: ZSTD_getErrorName(code))
            throw corrupt("the zstd frame is damaged (\(text))", start)
        }
        if code == 0 {
            phase = .between
        } else if produced == 0, isCutOff {
            throw corrupt("the zstd stream is cut off: the file ends inside a frame", start)
        }
        return produced
    }

    /// Finds the next frame and looks at its header; false at the end of the file.
    private func beginFrame() throws(DrayError) -> Bool {
        while true {
            let start = input.position
            let head = try input.peek(18)
            if head.isEmpty { return false }
            let isFrame = try input.continues(with: [0x28, 0xB5, 0x2F, 0xFD])
            let base = head[0] & 0xF0
            let isSkippable =
                try input.continues(with: [head[0], 0x2A, 0x4D, 0x18]) && base == 0x50
            guard isFrame || isSkippable else {
                let text = "what follows the last zstd frame is no zstd frame"
                throw corrupt(start > 0 ? text : "this is the beginning of no zstd frame", start)
            }
            guard head.count >= 8 else {
                throw corrupt("the zstd stream is cut off: the file ends inside a frame", start)
            }
            if isSkippable {
                let size = head[4..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                guard input.skip(8 + size) else {
                    let text = "a skippable frame of \(size) bytes ends beyond the file"
                    throw corrupt(text, start)
                }
                continue
            }
            try check(head, start)
            return true
        }
    }

    /// Compares what a frame's header asks for with the limits (3.1.1.1).
    private func check(_ head: [UInt8], _ start: UInt64) throws(DrayError) {
        let descriptor = head[4]
        let isSingle = descriptor & 0x20 != 0
        let dictionary = [0, 1, 2, 4][Int(descriptor & 3)]
        let first = isSingle ? 5 : 6
        let identifier = head.dropFirst(first).prefix(dictionary)
        guard identifier.allSatisfy({ $0 == 0 }) else {
            throw DrayError(
                .unsupported,
                "the zstd frame needs a dictionary",
                file: input.name,
                offset: start
            )
        }
        if isSingle {
            let size = [1, 2, 4, 8][Int(descriptor >> 6)]
            let field = head.dropFirst(first + dictionary).prefix(size)
            window = field.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            if size == 2 { window += 256 }
        } else {
            let base = UInt64(1) << (10 + UInt64(head[5] >> 3))
            window = base + base / 8 * UInt64(head[5] & 7)
        }
        guard window <= StreamLimit.zstdWindow else {
            throw DrayError(
                .unsupported,
                "the zstd frame asks for a window of \(window) bytes; Dray takes at most \(StreamLimit.zstdWindow)",
                file: input.name,
                offset: start
            )
        }
    }
}
