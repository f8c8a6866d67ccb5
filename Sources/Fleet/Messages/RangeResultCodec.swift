// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import Digest
internal import DiskImage
internal import FoundationEssentials

/// A range's result as it travels: digests as one base64 string, runs as short text. Each field is named in `WireMessages+Plain` too.
struct WireRangeResult: Codable {
    var start: UInt64
    var length: UInt64
    var data: UInt64
    var reservation: UInt64?
    /// Runs of granules: `3h12d1z` is three holes, twelve of data, one of zeros.
    var map: String?
    /// The lengths of the data clusters of a packed target: see ``StoredLengths``.
    var stored: Data?
    /// Runs of blocks: `16z64d` is sixteen blocks of zeros, then 64 bytes of `digests`.
    var blocks: String?
    var digests: Data?
    var mismatch: UInt64?

    init(_ result: RangeResult) {
        start = result.range.start.bytes
        length = result.range.length
        data = result.dataBytes
        mismatch = result.mismatch?.bytes
        if let placement = result.placement {
            reservation = placement.reservation?.bytes
            map = Self.text(placement.runs.map { (UInt64($0.count), Self.letter($0.state)) })
            stored = placement.stored.map { Data($0.bytes) }
        }
        guard let digest = result.digest else { return }
        var bytes = Data()
        var runs: [(UInt64, Character)] = []
        for run in digest.runs {
            switch run {
            case .zeroBlocks(let count): runs.append((count, "z"))
            case .digests(let content):
                runs.append((UInt64(content.count), "d"))
                bytes.append(contentsOf: content)
            }
        }
        blocks = Self.text(runs)
        digests = bytes
    }

    func result() throws(DrayError) -> RangeResult {
        guard let end = start.adding(length), end <= UnitSize.largestDisk else {
            throw Self.malformed("range")
        }
        let range = GuestRange(GuestOffset(start), length: length)
        var result = RangeResult(range: range, dataBytes: data)
        result.mismatch = mismatch.map { GuestOffset($0) }
        if let map {
            let runs = try Self.runs(map).map { run throws(DrayError) in
                guard let count = Int(exactly: run.count), count <= Int32.max else {
                    throw Self.malformed("map")
                }
                return RangePlacement.Run(try Self.state(run.letter), count)
            }
            result.placement = RangePlacement(
                range: range,
                reservation: reservation.map { HostOffset($0) },
                runs: runs,
                stored: try stored.map { bytes throws(DrayError) in
                    try StoredLengths(bytes: [UInt8](bytes))
                }
            )
        }
        if let blocks { result.digest = try digest(blocks, [UInt8](digests ?? Data())) }
        return result
    }

    private func digest(_ blocks: String, _ bytes: [UInt8]) throws(DrayError) -> RangeDigest {
        var runs: [RangeDigest.Run] = []
        var position = 0
        for run in try Self.runs(blocks) {
            switch run.letter {
            case "z": runs.append(.zeroBlocks(run.count))
            case "d":
                guard run.count <= UInt64(bytes.count - position) else {
                    throw Self.malformed("blocks")
                }
                let end = position + Int(run.count)
                runs.append(.digests(Array(bytes[position..<end])))
                position = end
            default: throw Self.malformed("blocks")
            }
        }
        guard position == bytes.count else { throw Self.malformed("digests") }
        return RangeDigest(runs: runs)
    }

    private static func text(_ runs: [(UInt64, Character)]) -> String {
        var text = ""
        for (count, letter) in runs {
            text += String(count)
            text.append(letter)
        }
        return text
    }

    private static func runs(
        _ text: String
    ) throws(DrayError) -> [(count: UInt64, letter: Unicode.Scalar)] {
        var runs: [(UInt64, Unicode.Scalar)] = []
        var count: UInt64?
        for byte in text.utf8 {
            guard (48...57).contains(byte) else {
                guard let known = count else { throw malformed("runs") }
                runs.append((known, Unicode.Scalar(byte)))
                count = nil
                continue
            }
            guard let more = (count ?? 0).multiplied(by: 10)?.adding(UInt64(byte - 48)) else {
                throw malformed("runs")
            }
            count = more
        }
        guard count == nil else { throw malformed("runs") }
        return runs
    }

    private static func letter(_ state: RangePlacement.State) -> Character {
        switch state {
        case .hole: "h"
        case .zero: "z"
        case .data: "d"
        }
    }

    private static func state(_ letter: Unicode.Scalar) throws(DrayError) -> RangePlacement.State {
        switch letter {
        case "h": .hole
        case "z": .zero
        case "d": .data
        default: throw malformed("map")
        }
    }

    private static func malformed(_ field: String) -> DrayError {
        DrayError(.corrupt, "the message's field \"\(field)\" is malformed")
    }
}
