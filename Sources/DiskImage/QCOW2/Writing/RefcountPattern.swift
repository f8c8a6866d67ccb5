// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// Refcounts of one in every width: entries are packed without gaps, those narrower than a byte from its low bits up
/// (specification, "Refcount blocks").
struct RefcountPattern {
    /// The width of an entry in bits.
    let bits: Int

    /// Sets entries `range`, counted from the buffer's first byte, to one. They hold zero.
    func setOnes(_ range: Range<Int>, in buffer: AlignedBuffer) {
        guard !range.isEmpty else { return }
        let perWord = 64 / bits
        let firstWord = (range.lowerBound + perWord - 1) / perWord
        let endWord = range.upperBound / perWord
        guard firstWord < endWord else {
            for index in range { setOne(index, in: buffer) }
            return
        }
        for index in range.lowerBound..<firstWord * perWord { setOne(index, in: buffer) }
        let word = fullWord
        for index in firstWord..<endWord { buffer.storeBigEndian(word, at: index * 8) }
        for index in endWord * perWord..<range.upperBound { setOne(index, in: buffer) }
    }

    /// Adds one to entry `index`, counted from the buffer's first byte, which is not full.
    func add(one index: Int, in buffer: AlignedBuffer) {
        switch bits {
        case 1, 2, 4, 8:
            let byte = index * bits / 8
            let old = buffer.bigEndian(byte, as: UInt8.self)
            buffer.storeBigEndian(old + (1 << UInt8(index * bits % 8)), at: byte)
        case 16: add(index * 2, UInt16.self, in: buffer)
        case 32: add(index * 4, UInt32.self, in: buffer)
        case 64: add(index * 8, UInt64.self, in: buffer)
        default: preconditionFailure("refcounts have 1 to 64 bits")
        }
    }

    private func add<I: FixedWidthInteger>(_ byte: Int, _ type: I.Type, in buffer: AlignedBuffer) {
        buffer.storeBigEndian(buffer.bigEndian(byte, as: type) + 1, at: byte)
    }

    /// Eight bytes full of ones.
    private var fullWord: UInt64 {
        var word: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: bits) { word |= 1 << UInt64(shift) }
        return word
    }

    private func setOne(_ index: Int, in buffer: AlignedBuffer) {
        if bits >= 8 {
            buffer.storeBigEndian(UInt8(1), at: (index + 1) * bits / 8 - 1)
            return
        }
        let byte = index * bits / 8
        let old = buffer.bigEndian(byte, as: UInt8.self)
        buffer.storeBigEndian(old | 1 << UInt8(index * bits % 8), at: byte)
    }
}
