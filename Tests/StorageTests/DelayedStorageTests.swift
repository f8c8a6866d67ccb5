// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Storage
import Testing

@Suite struct DelayedStorageTests {
    @Test(arguments: [(0, 0), (30, 30), (-5, 0), (Int.max, DelayedStorage.longestDelay)])
    func `each read and each write takes longer, up to a limit`(given: Int, delay: Int) throws {
        let storage = DelayedStorage(MemoryStorage(length: 4096), milliseconds: given)
        let buffer = AlignedBuffer(count: 512)
        buffer.zero(0..<512)
        buffer.copy([1, 2, 3], to: 0)
        let clock = ContinuousClock()
        let spent = try clock.measure {
            try storage.write(HostOffset(512), from: buffer, 0..<512)
            buffer.zero(0..<512)
            try storage.read(HostOffset(512), into: buffer, 0..<512)
        }
        #expect(buffer.bytes(0..<3) == [1, 2, 3])
        #expect(spent >= .milliseconds(2 * delay))
        #expect(spent < .milliseconds(2 * delay + 5000))
    }

    @Test func `asking for extents and zeroing take no longer`() throws {
        let storage = DelayedStorage(MemoryStorage(length: 4096), milliseconds: 1000)
        let spent = try ContinuousClock().measure {
            for _ in 0..<50 {
                _ = try storage.extent(at: HostOffset(0), limit: 4096)
                try storage.zero(HostOffset(0), length: 512, mayPunch: true)
            }
        }
        #expect(spent < .seconds(20))
    }
}
