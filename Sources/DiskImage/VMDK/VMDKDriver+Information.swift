// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Storage

extension VMDKDriver {
    package func information() throws(DrayError) -> FormatInformation {
        typealias Field = FormatInformation.Field
        var information = FormatInformation()
        information.clusterSize = extents.lazy.compactMap(\.grainSize).first
        information.fields = [
            Field("cid", .number(UInt64(descriptor.cid))),
            Field("parent-cid", .number(UInt64(descriptor.parentCID))),
            Field("create-type", .text(descriptor.createType)),
            Field("extents", .list(extents.map { .object(fields(of: $0)) })),
        ]
        return information
    }

    /// The fields of an extent, in the order in which qemu-img prints them.
    private func fields(of extent: VMDKExtent) -> [FormatInformation.Field] {
        var fields: [FormatInformation.Field] = []
        if extent.isCompressed { fields.append(.init("compressed", .flag(true))) }
        fields.append(.init("virtual-size", .number(extent.size)))
        fields.append(.init("filename", .text(extent.storage?.name ?? "")))
        if let size = extent.grainSize { fields.append(.init("cluster-size", .number(size))) }
        // qemu-img names the type where the descriptor is another file.
        fields.append(.init("format", .text(isEmbedded ? "" : extent.kind.rawValue)))
        return fields
    }
}

extension VMDKExtent {
    /// The size of a grain in bytes, where there are grains.
    var grainSize: UInt64? {
        guard case .sparse(let sparse) = content else { return nil }
        return sparse.map.geometry.grainSize
    }

    /// Whether the content is compressed.
    fileprivate var isCompressed: Bool {
        guard case .sparse(let sparse) = content else { return false }
        return sparse.decoder != nil
    }
}
