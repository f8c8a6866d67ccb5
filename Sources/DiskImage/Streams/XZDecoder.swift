// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CLzma
internal import Storage

/// Decodes xz streams one behind the other (The .xz File Format 1.2.0). Every check, index and footer is checked.
@safe
final class XZDecoder: ForwardDecoder {
    private enum Phase {
        /// Before a stream, or the end.
        case between
        /// Before a block, or the index.
        case blocks
        /// Inside a block.
        case body
        /// Behind everything.
        case ended
    }

    let input: StreamInput
    // liblzma keeps the addresses of both, so that they must not move.
    private let stream: UnsafeMutablePointer<lzma_stream>
    private let block: UnsafeMutablePointer<lzma_block>
    /// What the blocks of the stream were, to be compared with its index; nil where decoding began behind its header.
    private var index: OpaquePointer?
    private var flags = lzma_stream_flags()
    private var phase = Phase.between
    private(set) var memory = 9 << 20

    /// A decoder of `storage` from `restart` on.
    init(_ storage: any Storage, at restart: StreamRestart) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: lzma_stream())
        unsafe block = .allocate(capacity: 1)
        unsafe block.initialize(to: lzma_block())
        switch restart {
        case .unit(let host): input = StreamInput(storage, at: host)
        case .xzBlock(let host, let check):
            input = StreamInput(storage, at: host)
            flags.check = lzma_check(rawValue: check)
            phase = .blocks
        case .deflateBlock: preconditionFailure("an xz stream has no deflate blocks")
        }
    }

    deinit {
        unsafe lzma_end(stream)
        unsafe lzma_index_hash_end(index, nil)
        unsafe stream.deallocate()
        unsafe block.deallocate()
    }

    var isAtEnd: Bool { phase == .ended }

    func restart() -> StreamRestart? {
        switch phase {
        case .between: .unit(input.position)
        case .blocks: .xzBlock(input.position, check: flags.check.rawValue)
        case .body, .ended: nil
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
            phase = try beginStream() ? .blocks : .ended
            return (0, false)
        case .blocks:
            phase = try beginBlock() ? .body : .between
            return (0, false)
        case .body: return (try step(into: buffer, range), phase == .blocks)
        }
    }

    private func step(into buffer: AlignedBuffer, _ range: Range<Int>) throws(DrayError) -> Int {
        let isCutOff = input.isAtEnd
        let start = input.position
        let (code, produced) = try unsafe input.withBytes { from in
            unsafe buffer.withMutableBytes(range) { to in
                unsafe stream.pointee.next_in = from.baseAddress?.assumingMemoryBound(
                    to: UInt8.self
                )
                unsafe stream.pointee.avail_in = from.count
                unsafe stream.pointee.next_out = to.baseAddress?.assumingMemoryBound(to: UInt8.self)
                unsafe stream.pointee.avail_out = to.count
                let code = unsafe lzma_code(stream, LZMA_RUN)
                let used = unsafe from.count - stream.pointee.avail_in
                return unsafe (used, (code, to.count - stream.pointee.avail_out))
            }
        }
        switch code {
        case LZMA_STREAM_END: try endBlock()
        case LZMA_OK, LZMA_BUF_ERROR: if produced == 0, isCutOff { throw cutOff() }
        case LZMA_DATA_ERROR: throw corrupt("the xz block is damaged, or its check is wrong", start)
        default: throw problem(code, "an xz block", start)
        }
        return produced
    }

    /// Reads a stream header (2.1.1), behind padding of zeros where it is not the first; false at the end of the file.
    private func beginStream() throws(DrayError) -> Bool {
        if input.position > 0 { try skipPadding() }
        if input.position > 0, input.isAtEnd { return false }
        let start = input.position
        if start > 0, try !input.continues(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0]) {
            throw corrupt("what follows the last xz stream is no xz stream", start)
        }
        guard let header = try input.take(12) else { throw cutOff() }
        let code = unsafe lzma_stream_header_decode(&flags, header)
        guard code != LZMA_FORMAT_ERROR else {
            throw corrupt("this is the beginning of no xz stream", start)
        }
        guard code == LZMA_OK else { throw problem(code, "an xz stream header", start) }
        guard lzma_check_is_supported(flags.check) != 0 else {
            let text =
                "the xz stream has check \(flags.check.rawValue), which liblzma does not know"
            throw DrayError(.unsupported, text, file: input.name, offset: start)
        }
        unsafe index = lzma_index_hash_init(index, nil)
        guard unsafe index != nil else { preconditionFailure("no memory for an index") }
        return true
    }

    /// Zeros behind a stream, four at a time (2.2).
    private func skipPadding() throws(DrayError) {
        while let four = try input.peek(4).first, four == 0 {
            let place = input.position
            guard try input.take(4) == [0, 0, 0, 0] else {
                throw corrupt("the padding behind an xz stream is not zeros by fours", place)
            }
        }
    }

    /// Reads a block header (3.1) and begins its data; false where the index came instead, which is read then with the footer.
    private func beginBlock() throws(DrayError) -> Bool {
        let start = input.position
        guard let first = try input.peek(1).first else { throw cutOff() }
        guard first != 0 else {
            try endStream()
            return false
        }
        let size = (Int(first) + 1) * 4
        guard let header = try input.take(size) else { throw cutOff() }
        let count = Int(LZMA_FILTERS_MAX) + 1
        let filters = UnsafeMutablePointer<lzma_filter>.allocate(capacity: count)
        defer { unsafe filters.deallocate() }
        unsafe filters.initialize(repeating: lzma_filter(), count: count)
        unsafe block.pointee = lzma_block()
        unsafe block.pointee.version = 1
        unsafe block.pointee.check = flags.check
        unsafe block.pointee.header_size = UInt32(size)
        unsafe block.pointee.filters = filters
        let code = unsafe lzma_block_header_decode(block, nil, header)
        guard code == LZMA_OK else { throw problem(code, "an xz block header", start) }
        defer {
            unsafe lzma_filters_free(filters, nil)
            unsafe block.pointee.filters = nil
        }
        try checkMemory(unsafe lzma_raw_decoder_memusage(filters), start)
        let begun = unsafe lzma_block_decoder(stream, block)
        guard begun == LZMA_OK else { throw problem(begun, "an xz block", start) }
        return true
    }

    private func checkMemory(_ wanted: UInt64, _ start: UInt64) throws(DrayError) {
        guard wanted != UInt64.max else {
            let text = "the xz block uses filters that liblzma does not know"
            throw DrayError(.unsupported, text, file: input.name, offset: start)
        }
        guard wanted <= StreamLimit.xzMemory else {
            throw DrayError(
                .unsupported,
                "decoding the xz block takes \(wanted) bytes of memory; Dray takes at most \(StreamLimit.xzMemory)",
                file: input.name,
                offset: start
            )
        }
        memory = Int(wanted) + StreamInput.bufferSize
    }

    private func endBlock() throws(DrayError) {
        phase = .blocks
        guard let index = unsafe index else { return }
        let code = unsafe lzma_index_hash_append(
            index,
            lzma_block_unpadded_size(block),
            block.pointee.uncompressed_size
        )
        guard code == LZMA_OK else { throw problem(code, "an xz block", input.position) }
    }

    /// Reads the index (4) and the stream footer (2.1.2).
    private func endStream() throws(DrayError) {
        let start = input.position
        if let index = unsafe index { try unsafe readIndex(index) } else { try skipIndex() }
        let place = input.position
        guard let bytes = try input.take(12) else { throw cutOff() }
        var footer = lzma_stream_flags()
        let code = unsafe lzma_stream_footer_decode(&footer, bytes)
        guard code == LZMA_OK else {
            throw code == LZMA_FORMAT_ERROR
                ? corrupt("this is no xz stream footer", place)
                : problem(code, "an xz stream footer", place)
        }
        guard unsafe index != nil else { return }
        // The header has no such size; the footer's must be the index's.
        flags.backward_size = footer.backward_size
        guard unsafe lzma_stream_flags_compare(&flags, &footer) == LZMA_OK else {
            throw corrupt("the xz stream's header and footer differ", place)
        }
        guard footer.backward_size == place - start else {
            let text =
                "the xz index has \(place - start) bytes, the footer says \(footer.backward_size)"
            throw corrupt(text, place)
        }
    }

    private func readIndex(_ index: OpaquePointer) throws(DrayError) {
        while true {
            let place = input.position
            if input.isAtEnd { throw cutOff() }
            let code = try unsafe input.withBytes { bytes in
                var used = 0
                let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
                let code = unsafe lzma_index_hash_decode(index, start, &used, bytes.count)
                return (used, code)
            }
            switch code {
            case LZMA_STREAM_END: return
            case LZMA_OK: continue
            case LZMA_DATA_ERROR:
                throw corrupt("the xz index is not that of the blocks before it", place)
            default: throw problem(code, "the xz index", place)
            }
        }
    }

    /// Passes over an index that was compared with its blocks before: indicator, number of records, two numbers a record, padding to
    /// a multiple of 4, CRC-32 (4).
    private func skipIndex() throws(DrayError) {
        let start = input.position
        _ = try input.take(1)
        var rest = try number()
        while rest > 0 {
            _ = try number()
            _ = try number()
            rest -= 1
        }
        let padding = (4 - (input.position - start) % 4) % 4
        guard input.skip(padding + 4) else { throw cutOff() }
    }

    /// A number of one to nine bytes, seven bits each (1.2).
    private func number() throws(DrayError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 63, by: 7) {
            guard let byte = try input.take(1)?.first else { throw cutOff() }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw corrupt("a number of the xz index is too long", input.position)
    }

    private func cutOff() -> DrayError {
        corrupt("the xz stream is cut off: the file ends inside it", input.position)
    }

    private func problem(_ code: lzma_ret, _ what: String, _ offset: UInt64) -> DrayError {
        switch code {
        case LZMA_MEM_ERROR: preconditionFailure("no memory for an xz decoder")
        case LZMA_OPTIONS_ERROR:
            DrayError(
                .unsupported,
                "\(what) uses what liblzma does not know",
                file: input.name,
                offset: offset
            )
        default: corrupt("\(what) is damaged (liblzma says \(code.rawValue))", offset)
        }
    }
}
