// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Digest
internal import DiskImage
internal import Storage

/// What copying one range needs: made anew for each attempt, used by one thread.
struct RangeCopy {
    /// The guest bytes to copy.
    let range: GuestRange
    /// Reads them.
    let reader: SourceReader
    /// Maps them.
    let disk: SourceDisk
    /// Where they go.
    let target: any Storage
    /// The run of zeros that is left out, in bytes; 0 leaves nothing out.
    let sparseSize: UInt64
    /// Whether zeros must not give space back.
    let keepsSpace: Bool
    /// Cancellation, reservations, progress.
    let control: any TaskControl
    /// Hashes the disk's bytes in order as they pass, where the job wants that.
    let hasher: RangeHasher?

    /// Fails with `cancelled` once the job was asked to stop: called once a chunk.
    func checkCancelled() throws(DrayError) {
        if control.isCancelled { throw DrayError(.cancelled, "stopped on request") }
    }

    /// Writes `bytes` of `buffer`, whose first byte belongs at `host`, leaving out zero runs where the target reads as zeros by itself.
    func write(
        _ bytes: Range<Int>,
        of buffer: AlignedBuffer,
        at host: HostOffset
    ) throws(DrayError) {
        guard sparseSize > 0 else { return try target.write(host, from: buffer, bytes) }
        // Smaller runs than O_DIRECT takes would make the storage write more than it was given.
        let unit = UInt64(target.alignment.request)
        let wanted = min(sparseSize, UInt64(UnitSize.chunk))
        let granule = Int(wanted.dividedRoundingUp(by: unit) * unit)
        try buffer.forEachRun(of: bytes, granule: granule) { run, isZero throws(DrayError) in
            let place = host + UInt64(run.lowerBound - bytes.lowerBound)
            if !isZero {
                try target.write(place, from: buffer, run)
            } else if !target.isZeroInitialized {
                try target.zero(place, length: UInt64(run.count), mayPunch: !keepsSpace)
            }
        }
    }
}
