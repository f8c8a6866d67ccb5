// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import TestSupport

/// A disk on an optional backing disk: what each sector is, and what the two read as together.
struct LayeredDisk {
    /// What a sector holds, as bits.
    struct Content: OptionSet {
        let rawValue: UInt8
        static let data = Content(rawValue: 1)
        static let zeros = Content(rawValue: 2)
        static let hole = Content(rawValue: 4)
    }

    static let sector = 512
    let size: Int
    /// Where the backing disk ends: zeros beyond hide nothing.
    let baseSize: Int
    /// What the disk reads as, padded with zeros to 4 MiB.
    let bytes: AlignedBuffer
    private let sectors: [Content]

    init(_ top: ImageDescription, on base: ImageDescription? = nil) {
        size = Int(top.size)
        baseSize = Int(base?.size ?? 0)
        let padded = (size + (4 << 20) - 1) / (4 << 20) * (4 << 20)
        // The guest sees whole sectors, and a hole in the last one shows the backing disk.
        let visible = (top.size + 511) / 512 * 512
        var bytes = base.map { $0.bytes(0..<min($0.size, visible)) } ?? []
        bytes += [UInt8](repeating: 0, count: padded - bytes.count)
        var sectors = [Content](repeating: [], count: padded / Self.sector)
        var position = 0
        for stretch in top.stretches {
            let range = Int(stretch.start)..<Int(stretch.start + stretch.length)
            Self.mark(position..<range.lowerBound, .hole, &sectors)
            Self.mark(range, stretch.content == .zeros ? .zeros : .data, &sectors)
            let content = top.bytes(stretch.start..<stretch.start + stretch.length)
            bytes.replaceSubrange(range, with: content)
            position = range.upperBound
        }
        Self.mark(position..<padded, .hole, &sectors)
        self.bytes = AlignedBuffer(count: max(padded, 1))
        self.bytes.copy(bytes, to: 0)
        self.sectors = sectors
    }

    private static func mark(_ range: Range<Int>, _ kind: Content, _ sectors: inout [Content]) {
        guard !range.isEmpty else { return }
        for index in range.lowerBound / sector...(range.upperBound - 1) / sector {
            sectors[index].insert(kind)
        }
    }

    /// What the bytes of `range`, whole sectors, hold.
    func content(_ range: Range<Int>) -> Content {
        var content: Content = []
        for index in range.lowerBound / Self.sector..<range.upperBound / Self.sector {
            content.formUnion(sectors[index])
        }
        return content
    }
}
