// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

extension VMDKDescriptor {
    /// The text of the descriptor, in the layout that VMware and qemu write, with line feeds.
    ///
    /// Fails with `invalid` where a name or value cannot be written: quotes and control characters have no escape in this format.
    package func text() throws(DrayError) -> String {
        var lines = ["# Disk DescriptorFile", "version=\(version)"]
        if let encoding { lines.append("encoding=\(try quoted(encoding))") }
        lines += ["CID=\(Self.hex(cid))", "parentCID=\(Self.hex(parentCID))"]
        if saysNoNativeSnapshot { lines.append("isNativeSnapshot=\"no\"") }
        lines.append("createType=\(try quoted(createType))")
        if let hint = parentFileNameHint { lines.append("parentFileNameHint=\(try quoted(hint))") }
        lines += ["", "# Extent description"]
        for extent in extents { lines.append(try text(of: extent)) }
        if let path = changeTrackPath {
            lines += ["", "# Change Tracking File", "changeTrackPath=\(try quoted(path))"]
        }
        lines += ["", "# The Disk Data Base", "#DDB", ""]
        for entry in database { lines.append("\(entry.key) = \(try quoted(entry.value))") }
        return lines.joined(separator: "\n") + "\n"
    }

    private func text(of extent: VMDKExtentLine) throws(DrayError) -> String {
        let head = "\(extent.access.rawValue) \(extent.sectors) \(extent.kind.rawValue)"
        switch extent.kind {
        case .zero: return head
        case .flat: return "\(head) \(try quoted(extent.name)) \(extent.offset)"
        case .sparse, .vmfs, .vmfsSparse, .seSparse: return "\(head) \(try quoted(extent.name))"
        }
    }

    private func quoted(_ text: String) throws(DrayError) -> String {
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") }) else {
            throw DrayError(
                .invalid,
                "a VMDK descriptor cannot hold '\(text)': it has quotes or control characters"
            )
        }
        return "\"\(text)\""
    }

    /// A content id in eight digits.
    static func hex(_ cid: UInt32) -> String {
        let digits = String(cid, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
