// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CLinux
internal import Glibc

extension Storage {
    /// Fails with `corrupt` unless `count` bytes at `offset` lie before `length`.
    func checkInside(_ offset: HostOffset, _ count: Int, of length: UInt64) throws(DrayError) {
        if let end = offset.bytes.adding(UInt64(count)), end <= length { return }
        throw DrayError(
            .corrupt,
            "\(count) bytes are wanted here, but the file ends at \(length)",
            file: name,
            offset: offset.bytes
        )
    }

    /// The end of a stretch to be written; fails with `resource` where no file can be that long.
    func checkedEnd(_ offset: HostOffset, _ length: UInt64) throws(DrayError) -> UInt64 {
        if let end = offset.bytes.adding(length), end <= UInt64(Int64.max) { return end }
        throw DrayError(
            .resource,
            "\(length) bytes from here end beyond what a file can hold",
            file: name,
            offset: offset.bytes,
            errno: EFBIG
        )
    }

    /// Writes zeros over a stretch, a mebibyte at a time.
    func writeZeros(_ offset: HostOffset, length: UInt64) throws(DrayError) {
        guard length > 0 else { return }
        let zeros = AlignedBuffer(count: Int(min(length, UInt64(UnitSize.chunk))))
        zeros.zero(0..<zeros.count)
        var done: UInt64 = 0
        while done < length {
            let count = min(length - done, UInt64(zeros.count))
            try write(offset + done, from: zeros, 0..<Int(count))
            done += count
        }
    }
}

extension FileDescriptor {
    /// What O_DIRECT wants here: what the system says, else `sector` bytes for offset and length and a page for memory.
    func directAlignment(_ name: String, sector: Int) throws(DrayError) -> IOAlignment {
        var memory: UInt32 = 0
        var request: UInt32 = 0
        // A kernel that does not know says 0, as one without statx(2) does by failing.
        _ = unsafe dray_direct_io_alignment(number, &memory, &request)
        let answer = IOAlignment(
            memory: memory > 0 ? Int(memory) : AlignedBuffer.alignment,
            request: request > 0 ? Int(request) : sector
        )
        let isUsable =
            AlignedBuffer.alignment % answer.memory == 0
            && answer.request.nonzeroBitCount == 1 && answer.request <= UnitSize.chunk
        guard isUsable else {
            throw DrayError(
                .unsupported,
                "O_DIRECT wants memory aligned to \(answer.memory) bytes and requests to "
                    + "\(answer.request); use another cache mode, such as 'writeback'",
                file: name
            )
        }
        return answer
    }
}
