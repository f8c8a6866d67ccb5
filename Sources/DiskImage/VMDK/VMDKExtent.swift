// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// A part of the disk that one line of the descriptor stands for.
struct VMDKExtent: Sendable {
    /// How the content is stored.
    enum Content: Sendable {
        /// Nowhere: zeros.
        case zero
        /// As it is, in a file from this place on.
        case flat(any Storage, HostOffset)
        /// In grains.
        case sparse(VMDKSparseExtent)
    }

    /// Where it starts on the disk, in bytes.
    let start: UInt64
    /// How many bytes it has.
    let size: UInt64
    /// How the content is stored.
    let content: Content
    /// The line's type.
    let kind: VMDKExtentLine.Kind

    /// The first byte behind it.
    var end: UInt64 { start + size }

    /// How much memory a thread needs for one of its compressed grains, in bytes.
    var readingMemory: Int {
        if case .sparse(let sparse) = content { sparse.decoder?.readingMemory ?? 0 } else { 0 }
    }

    /// What holds the content, if anything does.
    var storage: (any Storage)? {
        switch content {
        case .zero: nil
        case .flat(let storage, _): storage
        case .sparse(let sparse): sparse.storage
        }
    }
}

/// Opens the extents of a descriptor.
struct VMDKExtentBuilder {
    private let descriptorFile: any Storage
    private let openExtent: (String) throws(DrayError) -> any Storage
    private let caches = VMDKCaches()
    private var files: [String: any Storage] = [:]

    /// A builder for the descriptor in `descriptorFile`, which opens files by `openExtent`.
    init(
        descriptorFile: any Storage,
        openExtent: @escaping (String) throws(DrayError) -> any Storage
    ) {
        self.descriptorFile = descriptorFile
        self.openExtent = openExtent
    }

    /// The extent whose descriptor, at `offset` of the file, lies in it. The name that it tells may be another: files are renamed.
    func embedded(_ descriptor: VMDKDescriptor, offset: UInt64) throws(DrayError) -> VMDKExtent {
        guard descriptor.extents.count == 1, let line = descriptor.extents.first,
            line.kind == .sparse
        else {
            throw DrayError(
                .unsupported,
                "the descriptor in a sparse extent must name that extent alone",
                file: descriptorFile.name,
                offset: offset
            )
        }
        let sparse = try VMDKSparseExtent(
            descriptorFile,
            sectors: line.sectors,
            isEmbedded: true,
            caches: caches
        )
        return VMDKExtent(
            start: 0,
            size: sparse.map.geometry.size,
            content: .sparse(sparse),
            kind: .sparse
        )
    }

    /// The extents of `descriptor`, opened in order.
    mutating func separate(_ descriptor: VMDKDescriptor) throws(DrayError) -> [VMDKExtent] {
        guard !descriptor.extents.isEmpty else {
            throw DrayError(
                .corrupt,
                "the descriptor has no extents",
                file: descriptorFile.name,
                offset: 0
            )
        }
        var extents: [VMDKExtent] = []
        var start: UInt64 = 0
        for line in descriptor.extents {
            let size = line.sectors * VMDK.sector
            let content = try content(of: line)
            guard size > 0 else { continue }
            extents.append(VMDKExtent(start: start, size: size, content: content, kind: line.kind))
            start += size
        }
        return extents
    }

    private mutating func content(of line: VMDKExtentLine) throws(DrayError) -> VMDKExtent.Content {
        switch line.kind {
        case .zero: return .zero
        case .flat, .vmfs: return try flat(line)
        case .sparse, .vmfsSparse, .seSparse:
            return .sparse(
                try VMDKSparseExtent(try file(line), sectors: line.sectors, caches: caches)
            )
        }
    }

    private mutating func flat(_ line: VMDKExtentLine) throws(DrayError) -> VMDKExtent.Content {
        let file = try file(line)
        // The parser has limited both numbers.
        let (start, size) = (line.offset * VMDK.sector, line.sectors * VMDK.sector)
        guard start + size <= file.length else {
            throw DrayError(
                .corrupt,
                "the file ends before the extent that line \(line.line) of the descriptor says is in it (\(size) bytes from \(start))",
                file: file.name,
                offset: file.length
            )
        }
        return .flat(file, HostOffset(start))
    }

    /// The file that `line` names, opened once however many lines name it.
    private mutating func file(_ line: VMDKExtentLine) throws(DrayError) -> any Storage {
        if let known = files[line.name] { return known }
        let file = try openExtent(line.name)
        files[line.name] = file
        return file
    }
}
