// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
internal import Storage

extension QCOW2Driver {
    package func information() throws(DrayError) -> FormatInformation {
        var information = FormatInformation()
        information.clusterSize = header.clusterSize
        information.isDirty = header.incompatible.contains(.dirty)
        information.isEncrypted = header.cryptMethod != 0
        information.fields = try fields()
        information.snapshots = snapshots.map(\.fields)
        return information
    }

    /// The fields of `format-specific`, in the order in which qemu-img prints them.
    private func fields() throws(DrayError) -> [FormatInformation.Field] {
        typealias Field = FormatInformation.Field
        let compression = header.compression == .zstd ? "zstd" : "zlib"
        let compat = header.version == 2 ? "0.10" : "1.1"
        var fields = [
            Field("compat", .text(compat)), Field("compression-type", .text(compression)),
        ]
        let bits = Field("refcount-bits", .number(UInt64(header.refcountBits)))
        guard header.version > 2 else { return fields + [bits] + encryption() }
        let lazy = header.compatible.contains(.lazyRefcounts)
        fields.append(Field("lazy-refcounts", .flag(lazy)))
        if let directory = try QCOW2BitmapDirectory(header, file: storage.name) {
            let bitmaps = try directory.bitmaps(header, metadata)
            fields.append(Field("bitmaps", .list(bitmaps.map { .object($0.fields) })))
        }
        fields += [bits] + encryption()
        if header.hasDataFile {
            fields.append(Field("data-file", .text(header.dataFileName ?? "")))
            fields.append(Field("data-file-raw", .flag(header.autoclear.contains(.rawDataFile))))
        }
        fields.append(Field("corrupt", .flag(header.incompatible.contains(.corrupt))))
        fields.append(Field("extended-l2", .flag(header.hasExtendedL2)))
        return fields
    }

    /// The method alone: what LUKS says about itself is behind a header of its own.
    private func encryption() -> [FormatInformation.Field] {
        guard header.cryptMethod != 0 else { return [] }
        let format = header.cryptMethod == 1 ? "aes" : "luks"
        return [FormatInformation.Field("encrypt", .object([.init("format", .text(format))]))]
    }
}

extension QCOW2Snapshot {
    /// The fields of an entry of `snapshots`, in the order in which qemu-img prints them.
    fileprivate var fields: [FormatInformation.Field] {
        let nanosecondsInSecond: UInt64 = 1_000_000_000
        var fields: [FormatInformation.Field] = []
        if let instructionCount, instructionCount != .max {
            fields.append(.init("icount", .number(instructionCount)))
        }
        return fields + [
            .init("vm-clock-nsec", .number(vmClockNanoseconds % nanosecondsInSecond)),
            .init("name", .text(name)),
            .init("date-sec", .number(UInt64(dateSeconds))),
            .init("date-nsec", .number(UInt64(dateNanoseconds))),
            .init("vm-clock-sec", .number(vmClockNanoseconds / nanosecondsInSecond)),
            .init("id", .text(id)),
            .init("vm-state-size", .number(vmStateSize)),
        ]
    }
}

extension QCOW2Bitmap {
    fileprivate var fields: [FormatInformation.Field] {
        var names: [FormatInformation.Value] = []
        if flags & 1 != 0 { names.append(.text("in-use")) }
        if flags & 2 != 0 { names.append(.text("auto")) }
        return [
            .init("flags", .list(names)),
            .init("name", .text(name)),
            .init("granularity", .number(1 << UInt64(granularityBits))),
        ]
    }
}
