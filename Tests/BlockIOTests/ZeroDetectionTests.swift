// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Testing

@Suite struct ZeroDetectionTests {
    @Test(arguments: [1, 15, 16, 17, 31, 32, 33, 4096, 65537])
    func `one byte that is not zero is found wherever it stands`(count: Int) {
        let buffer = AlignedBuffer(count: count)
        buffer.zero(0..<count)
        #expect(buffer.isZero(0..<count))
        for position in Set([0, count / 2, count - 1]) {
            buffer.copy([1], to: position)
            #expect(!buffer.isZero(0..<count))
            buffer.copy([0], to: position)
        }
    }
}
