// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// Where a disk's descriptor is, and what it says.
struct VMDKDescriptorSource {
    /// The descriptor.
    let descriptor: VMDKDescriptor
    /// Whether it lies in a sparse extent.
    let isEmbedded: Bool
    /// Where it starts, in bytes.
    let offset: UInt64

    /// Reads the descriptor of the disk in `storage`.
    ///
    /// Fails with `unsupported` for an extent that has none: without its descriptor nobody knows whether it has a parent.
    init(_ storage: any Storage) throws(DrayError) {
        let metadata = StorageMetadata(storage)
        let count = min(metadata.length, UInt64(VMDK.sparseHeaderLength))
        let head = try metadata.bytes("the header", at: 0, count: Int(count))
        isEmbedded = VMDKSparseHeader.matches(head)
        var size = metadata.length
        if isEmbedded {
            let header = try VMDKSparseHeader(head, file: storage.name)
            guard header.descriptorOffset > 0, header.descriptorSize > 0 else {
                throw Self.bare(storage)
            }
            guard let start = header.descriptorOffset.multiplied(by: VMDK.sector),
                let space = header.descriptorSize.multiplied(by: VMDK.sector)
            else {
                throw DrayError(
                    .corrupt,
                    "descriptorOffset or descriptorSize is larger than any file",
                    file: storage.name,
                    offset: 28
                )
            }
            (offset, size) = (start, space)
        } else {
            guard !VMDKCOWDHeader.matches(head), !VMDKSpaceEfficientHeader.matches(head) else {
                throw Self.bare(storage)
            }
            guard VMDKDescriptor.matches(head) else {
                throw DrayError(
                    .corrupt,
                    "the file is neither a vmdk descriptor nor a sparse extent",
                    file: storage.name,
                    offset: 0
                )
            }
            offset = 0
        }
        guard size <= VMDK.largestDescriptor else {
            throw DrayError(
                .unsupported,
                "the descriptor has \(size) bytes, more than \(VMDK.largestDescriptor)",
                file: storage.name,
                offset: offset
            )
        }
        let text = try metadata.bytes("the descriptor", at: offset, count: Int(size))
        descriptor = try VMDKDescriptor(text, file: storage.name, base: offset)
    }

    private static func bare(_ storage: any Storage) -> DrayError {
        DrayError(
            .unsupported,
            "the file is an extent without its descriptor; name the descriptor, which says whether there is a parent",
            file: storage.name,
            offset: 0
        )
    }
}
