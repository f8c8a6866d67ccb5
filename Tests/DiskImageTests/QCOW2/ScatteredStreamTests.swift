// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport
internal import Testing

/// Compressed clusters whose streams do not lie in the guest's order, as writers with several threads leave them.
@Suite struct ScatteredStreamTests {
    /// Moves the compressed clusters of an image with one L2 table behind its end, in another order: shuffled in groups of so many.
    private static let shuffle = """
        import random, struct, sys
        data = bytearray(open('image', 'rb').read()); group = int(sys.argv[1]); random.seed(int(sys.argv[2]))
        l1, = struct.unpack('>Q', data[40:48])
        l2 = struct.unpack('>Q', data[l1:l1 + 8])[0] & 0xfffffffffffe00
        data += bytes(-len(data) % 65536)
        entries = struct.unpack('>8192Q', data[l2:l2 + 65536])
        compressed = [i for i, entry in enumerate(entries) if entry >> 62 & 1]
        for first in range(0, len(compressed), group):
            part = compressed[first:first + group]; random.shuffle(part)
            for i in part:
                place = entries[i] & (1 << 54) - 1; length = ((entries[i] >> 54 & 0xff) + 1) * 512 - place % 512
                sectors = (len(data) % 512 + length - 1) // 512
                data[l2 + 8 * i:l2 + 8 * i + 8] = struct.pack('>Q', 1 << 62 | sectors << 54 | len(data))
                data += data[place:place + length]
        open('shuffled', 'wb').write(data + bytes(1 << 20))
        """

    /// A workshop with an image of 8 MiB in 128 clusters that shrink to a half, `raw`, and `shuffled`.
    private static func workshop(group: Int, seed: UInt64) throws -> QCOW2Workshop {
        let workshop = try QCOW2Workshop()
        try workshop.write("shuffle.py", Array(shuffle.utf8))
        try workshop.shell(
            """
            head -c 4194304 /dev/urandom | od -An -v -tx1 | tr -d ' \\n' > raw
            qemu-img convert -c -O qcow2 raw image
            python3 shuffle.py \(group) \(seed)
            """
        )
        return workshop
    }

    @Test(arguments: [1, 16, 64], SeededGenerator.seeds(1))
    func `streams that were shuffled on the way are read many at a time`(group: Int, seed: UInt64)
        throws
    {
        let workshop = try Self.workshop(group: group, seed: seed)
        let storage = try CountingStorage(workshop.storage("shuffled"))
        let driver = try QCOW2Driver(storage: storage) { (_) throws(DrayError) in storage }
        let content = try QCOW2Workshop.content(of: driver)
        #expect(try content == workshop.bytes("raw"), "DRAY_SEED=\(seed)")
        #expect(storage.reads < 128 / 4, "DRAY_SEED=\(seed)")
    }

    @Test func `a stream by itself is read by itself`() throws {
        let workshop = try Self.workshop(group: 1, seed: 1)
        let storage = try CountingStorage(workshop.storage("shuffled"))
        let driver = try QCOW2Driver(storage: storage) { (_) throws(DrayError) in storage }
        let run = try driver.map(GuestOffset(1 << 20), limit: .max)
        guard case .compressed(let cluster) = run.place else {
            Issue.record("\(run) is not compressed")
            return
        }
        storage.reset()
        try driver.decode(cluster, into: AlignedBuffer(count: cluster.guestLength), at: 0)
        #expect(storage.counts.bytesRead <= cluster.guestLength)
    }
}
