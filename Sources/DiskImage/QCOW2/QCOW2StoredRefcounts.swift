// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// The refcounts that the image stores (specification, "Host cluster management"), looked up by cluster.
struct QCOW2StoredRefcounts {
    /// The refcount table, as stored.
    let table: [UInt64]
    private let metadata: StorageMetadata
    private let clusterSize: UInt64
    /// Binary logarithms: refcounts a block, bits a refcount.
    private let blockBits: UInt64
    private let order: UInt64
    private let blocks: TableCache
    private var current = -1
    private var words: [UInt64] = []
    private var isReadable = true

    init(_ header: QCOW2Header, _ metadata: StorageMetadata) throws(DrayError) {
        self.metadata = metadata
        clusterSize = header.clusterSize
        order = UInt64(header.refcountOrder)
        blockBits = UInt64(header.clusterBits) + 3 - order
        blocks = TableCache(capacity: 8 << 20, tableBits: header.clusterBits)
        table = try metadata.words(
            "the refcount table",
            at: header.refcountTableOffset,
            count: Int(UInt64(header.refcountTableClusters) * header.clusterSize / 8)
        )
    }

    /// The refcount of a cluster; nil where its block is not at a multiple of the cluster size or where no file can reach.
    mutating func refcount(_ cluster: UInt64) throws(DrayError) -> UInt64? {
        let index = cluster >> blockBits
        guard index < UInt64(table.count) else { return 0 }
        if Int(index) != current { try load(Int(index)) }
        guard isReadable else { return nil }
        guard !words.isEmpty else { return 0 }
        return value(cluster & ((1 << blockBits) - 1))
    }

    private mutating func load(_ index: Int) throws(DrayError) {
        let offset = table[index] & ~QCOW2.refcountTableReserved
        isReadable = offset % clusterSize == 0 && offset <= UnitSize.largestDisk - clusterSize
        current = index
        words = []
        guard isReadable, offset != 0 else { return }
        if let known = blocks.find(offset) {
            words = known
        } else {
            words = try metadata.paddedWords(at: offset, count: Int(clusterSize / 8))
            blocks.insert(words, at: offset)
        }
    }

    /// Refcounts of 8 bits and more are stored most significant byte first; narrower ones fill each byte from its least
    /// significant bit.
    private func value(_ position: UInt64) -> UInt64 {
        let bits = UInt64(1) << order
        let bit = position << order
        let word = words[Int(bit >> 6)]
        let inWord = bit & 63
        let shift = bits >= 8 ? 64 - bits - inWord : 56 - (inWord & ~7) + (inWord & 7)
        return word >> shift & (bits == 64 ? .max : (1 << bits) - 1)
    }
}

extension StorageMetadata {
    /// The `count` words at `offset`, zeros where the file has ended: for checking what may be cut off.
    func paddedWords(at offset: UInt64, count: Int) throws(DrayError) -> [UInt64] {
        let present = offset >= length ? 0 : Int(min(UInt64(count) * 8, length - offset))
        let padding = [UInt64](repeating: 0, count: count - (present + 7) / 8)
        guard present > 0 else { return padding }
        let size = (present + 7) / 8 * 8
        let buffer = AlignedBuffer(count: size)
        buffer.zero(present..<size)
        try storage.read(HostOffset(offset), into: buffer, 0..<present)
        return buffer.bigEndianWords(0..<size) + padding
    }
}
