// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage

/// The human output of `dray info`, in qemu-img's layout. What comes from the image is escaped.
struct LayerText {
    private let layer: LayerDescription

    /// The text about `layer`.
    init(_ layer: LayerDescription) { self.layer = layer }

    /// The lines, with a line end behind each.
    var text: String {
        var lines = [
            "image: \(layer.path.escapingControls)",
            "file format: \(layer.format)",
            "virtual size: \(HumanSize.text(layer.virtualSize)) (\(layer.virtualSize) bytes)",
            "disk size: \(HumanSize.text(layer.actualSize))",
        ]
        if layer.details.isEncrypted { lines.append("encrypted: yes") }
        if let size = layer.details.clusterSize { lines.append("cluster_size: \(size)") }
        if layer.details.isDirty { lines.append("cleanly shut down: no") }
        lines += archiveLines + backingLines + snapshotLines
        if !layer.details.fields.isEmpty {
            lines.append("Format specific information:")
            lines += Self.lines(of: layer.details.fields, level: 1)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var archiveLines: [String] {
        guard let archived = layer.archived else { return [] }
        let others = archived.others.joined(separator: ", ").escapingControls
        return ["archive member: \(archived.name.escapingControls)"]
            + (others.isEmpty ? [] : ["other disks of the archive: \(others)"])
            + ["manifest: \(archived.manifest)"]
    }

    private var backingLines: [String] {
        guard let backing = layer.backing, let full = layer.fullBackingPath else { return [] }
        var line = "backing file: \(backing.name.escapingControls)"
        if full != backing.name { line += " (actual path: \(full.escapingControls))" }
        let format = backing.format.map { ["backing file format: \($0.escapingControls)"] } ?? []
        return [line] + format
    }

    private var snapshotLines: [String] {
        guard !layer.details.snapshots.isEmpty else { return [] }
        return ["Snapshot list:", SnapshotRow.header]
            + layer.details.snapshots.map { SnapshotRow($0).text }
    }

    private static func lines(of fields: [FormatInformation.Field], level: Int) -> [String] {
        fields.flatMap { field in
            let key = field.key.replacing("-", with: " ").escapingControls
            return lines(of: field.value, named: key + ":", level: level)
        }
    }

    private static func lines(
        of value: FormatInformation.Value,
        named name: String,
        level: Int
    ) -> [String] {
        let start = String(repeating: "    ", count: level) + name
        switch value {
        case .text(let text): return [start + " " + text.escapingControls]
        case .number(let number): return [start + " \(number)"]
        case .flag(let flag): return [start + " \(flag)"]
        case .object(let fields): return [start] + lines(of: fields, level: level + 1)
        case .list(let items):
            let below = items.enumerated().flatMap { index, item in
                lines(of: item, named: "[\(index)]:", level: level + 1)
            }
            return [start] + below
        }
    }
}
