// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CDeflate
internal import CZlib
internal import Storage

/// Decodes gzip members one behind the other (RFC 1952): every header, CRC-32 and length is checked.
@safe
final class GzipDecoder: ForwardDecoder {
    private enum Phase {
        /// Before a member, or the end.
        case between
        /// Inside the deflate stream of a member.
        case body
        /// Behind everything.
        case ended
    }

    let input: StreamInput
    // zlib keeps the address of what it works on, so that it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private var phase = Phase.between
    /// Whether the member was decoded from its start, so that its sum and length are known.
    private var isWhole = true
    private var isAtBlock = false
    private var sum: UInt32 = 0
    private var count: UInt32 = 0

    /// The memory of zlib's window and tables, and the input buffer.
    let memory = StreamInput.bufferSize + (64 << 10)

    /// A decoder of `storage` from `restart` on.
    init(_ storage: any Storage, at restart: StreamRestart) throws(DrayError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let size = unsafe Int32(MemoryLayout<z_stream>.size)
        let result = unsafe inflateInit2_(stream, -15, ZLIB_VERSION, size)
        precondition(result == Z_OK, "zlib begins a raw deflate stream")
        switch restart {
        case .unit(let host): input = StreamInput(storage, at: host)
        case .xzBlock: preconditionFailure("a gzip stream has no xz blocks")
        case .deflateBlock(let host, let bits, let window):
            input = StreamInput(storage, at: bits > 0 ? host - 1 : host)
            try resume(bits: bits, window: window)
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    var isAtEnd: Bool { phase == .ended }

    private func resume(bits: Int, window: [UInt8]) throws(DrayError) {
        if bits > 0 {
            guard let byte = try input.take(1)?.first else { throw cutOff() }
            unsafe inflatePrime(stream, Int32(bits), Int32(byte) >> Int32(8 - bits))
        }
        if !window.isEmpty {
            let result = unsafe inflateSetDictionary(stream, window, UInt32(window.count))
            precondition(result == Z_OK, "zlib takes a window that it gave")
        }
        isWhole = false
        phase = .body
    }

    func restart() -> StreamRestart? {
        switch phase {
        case .between: return .unit(input.position)
        case .ended: return nil
        case .body:
            guard isAtBlock else { return nil }
            var length: UInt32 = 0
            let size = RestartPoints.windowSize
            let window = unsafe [UInt8](unsafeUninitializedCapacity: size) { space, filled in
                unsafe inflateGetDictionary(stream, space.baseAddress, &length)
                filled = Int(length)
            }
            let bits = unsafe Int(stream.pointee.data_type & 7)
            return .deflateBlock(input.position, bits: bits, window: window)
        }
    }

    func advance(
        into buffer: AlignedBuffer,
        _ range: Range<Int>,
        stopsToRestart: Bool
    ) throws(DrayError) -> (produced: Int, isRestart: Bool) {
        switch phase {
        case .ended: return (0, false)
        case .between:
            phase = try beginMember() ? .body : .ended
            return (0, false)
        case .body:
            let produced = try inflate(into: buffer, range, stopsAtBlocks: stopsToRestart)
            return (produced, isAtBlock || phase == .between)
        }
    }

    private func inflate(
        into buffer: AlignedBuffer,
        _ range: Range<Int>,
        stopsAtBlocks: Bool
    ) throws(DrayError) -> Int {
        let isCutOff = input.isAtEnd
        let start = input.position
        let result = try unsafe input.withBytes { from in
            unsafe buffer.withMutableBytes(range) { to in
                unsafe step(from, to, stopsAtBlocks ? Z_BLOCK : Z_NO_FLUSH)
            }
        }
        // Bit 7: right behind a block or before the first; bit 6: behind the last (zlib.h, inflate).
        let state = unsafe stream.pointee.data_type
        isAtBlock = stopsAtBlocks && result.code == Z_OK && state & 128 != 0 && state & 64 == 0
        switch result.code {
        case Z_STREAM_END: try endMember()
        case Z_OK: break
        case Z_BUF_ERROR:
            // Neither input nor output went on. The output has room.
            if isCutOff { throw cutOff() }
        case Z_MEM_ERROR: preconditionFailure("no memory for a deflate window")
        default:
            let text = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
            throw corrupt("the deflate stream is damaged (\(text ?? "no reason given"))", start)
        }
        return result.produced
    }

    private func step(
        _ from: UnsafeRawBufferPointer,
        _ to: UnsafeMutableRawBufferPointer,
        _ flush: Int32
    ) -> (used: Int, result: (code: Int32, produced: Int)) {
        let source = unsafe from.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.next_in = unsafe UnsafeMutablePointer(mutating: source)
        unsafe stream.pointee.avail_in = UInt32(from.count)
        unsafe stream.pointee.next_out = to.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe stream.pointee.avail_out = UInt32(to.count)
        let code = unsafe CZlib.inflate(stream, flush)
        let used = unsafe from.count - Int(stream.pointee.avail_in)
        let produced = unsafe to.count - Int(stream.pointee.avail_out)
        if isWhole {
            sum = unsafe libdeflate_crc32(sum, to.baseAddress, produced)
            count &+= UInt32(truncatingIfNeeded: produced)
        }
        return (used, (code, produced))
    }

    /// Reads the trailer: CRC-32 and length modulo 2^32 (2.3.1).
    private func endMember() throws(DrayError) {
        let place = input.position
        guard let trailer = try input.take(8) else { throw cutOff() }
        if isWhole {
            let stored = (Self.little(trailer[0..<4]), Self.little(trailer[4..<8]))
            guard stored.0 == sum else {
                throw corrupt(
                    "the CRC-32 of a gzip member is \(sum), its trailer says \(stored.0)",
                    place
                )
            }
            guard stored.1 == count else {
                throw corrupt(
                    "a gzip member has \(count) bytes modulo 2^32, its trailer says \(stored.1)",
                    place + 4
                )
            }
        }
        phase = .between
    }

    /// Reads a member's header (2.3); false at the end of the file, before which zeros may stand.
    private func beginMember() throws(DrayError) -> Bool {
        let start = input.position
        let head = try input.peek(10)
        if start > 0, head.isEmpty || head[0] == 0 {
            try skipPadding(from: start)
            return false
        }
        guard try input.continues(with: [0x1F, 0x8B]) else {
            throw corrupt("what follows the last gzip member is no gzip member", start)
        }
        guard head.count == 10 else { throw cutOff() }
        guard head[2] == 8, head[3] & 0xE0 == 0 else {
            let text = "a gzip member has the method \(head[2]) and the flags \(head[3])"
            throw DrayError(.unsupported, text, file: input.name, offset: start)
        }
        try skipHeader(flags: head[3])
        unsafe inflateReset2(stream, -15)
        (sum, count, isWhole) = (0, 0, true)
        return true
    }

    private func skipHeader(flags: UInt8) throws(DrayError) {
        var header = try input.take(10) ?? []
        func add(_ count: Int) throws(DrayError) {
            guard let bytes = try input.take(count) else { throw cutOff() }
            header += bytes
        }
        func addText() throws(DrayError) {
            let limit = header.count + (64 << 10)
            repeat {
                guard header.count < limit else {
                    throw corrupt("a gzip member's name or comment has no end", input.position)
                }
                try add(1)
            } while header.last != 0
        }
        if flags & 4 != 0 {
            try add(2)
            var rest = Int(Self.little(header.suffix(2)))
            while rest > 0 {
                let piece = min(rest, 4096)
                try add(piece)
                rest -= piece
            }
        }
        if flags & 8 != 0 { try addText() }
        if flags & 16 != 0 { try addText() }
        guard flags & 2 != 0 else { return }
        let place = input.position
        let wanted = unsafe libdeflate_crc32(0, header, header.count) & 0xFFFF
        try add(2)
        let stored = Self.little(header.suffix(2))
        guard stored == wanted else {
            throw corrupt("the CRC-16 of a gzip header is \(wanted), it says \(stored)", place)
        }
    }

    private func skipPadding(from start: UInt64) throws(DrayError) {
        while !input.isAtEnd {
            let place = input.position
            let zeros = try unsafe input.withBytes { bytes in
                let zeros = unsafe bytes.prefix { $0 == 0 }.count
                return (zeros, zeros)
            }
            guard zeros > 0 else {
                throw corrupt("what follows the last gzip member is no gzip member", place)
            }
        }
    }

    private static func little(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private func cutOff() -> DrayError {
        corrupt("the gzip stream is cut off: the file ends inside a member", input.position)
    }
}
