// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import DiskImage

/// `dray map`.
enum MapCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let isJSON = try arguments.wantsJSON()
        let image = try arguments.openImage(arguments.positionals[0])
        let map = try DiskMap(image)
        let start = try arguments.size(MapTable.startOffset) ?? 0
        let length = try arguments.size(MapTable.maxLength) ?? map.size
        let end = start.adding(length).map { min($0, map.size) } ?? map.size
        var output = StandardOutput()
        if isJSON {
            try writeJSON(map, start, end, to: &output)
        } else {
            try writeHuman(map, start, end, to: &output)
        }
        try output.flush()
        return ExitCode.success
    }

    private static func writeJSON(
        _ map: DiskMap,
        _ start: UInt64,
        _ end: UInt64,
        to output: inout StandardOutput
    ) throws(DrayError) {
        var separator = "["
        try map.forEachRun(from: start, to: end) { run throws(DrayError) in
            try output.write(separator + json(run))
            separator = ",\n"
        }
        // An empty disk has one empty run.
        if start >= end {
            let empty = BlockStatus(
                start: start,
                length: 0,
                depth: 0,
                isPresent: false,
                isZero: false,
                isData: false
            )
            try output.write("[" + json(empty))
        }
        try output.write("]\n")
    }

    private static func json(_ run: BlockStatus) -> String {
        let offset = run.offset.map { ", \"offset\": \($0)" } ?? ""
        return "{ \"start\": \(run.start), \"length\": \(run.length), \"depth\": \(run.depth), "
            + "\"present\": \(run.isPresent), \"zero\": \(run.isZero), \"data\": \(run.isData)"
            + offset + "}"
    }

    private static func writeHuman(
        _ map: DiskMap,
        _ start: UInt64,
        _ end: UInt64,
        to output: inout StandardOutput
    ) throws(DrayError) {
        try output.write(row("Offset", "Length", "Mapped to", "File"))
        try map.forEachRun(from: start, to: end) { run throws(DrayError) in
            guard run.isData, !run.isZero else { return }
            guard let offset = run.offset, let file = run.file else {
                throw DrayError(
                    .unsupported,
                    "the image holds compressed data, which has no place to show; use --output json",
                    offset: run.start
                )
            }
            try output.write(
                row(hex(run.start), hex(run.length), hex(offset), file.escapingControls)
            )
        }
    }

    private static func row(_ cells: String...) -> String {
        let padded = cells.dropLast().map {
            $0 + String(repeating: " ", count: max(0, 16 - $0.count))
        }
        return padded.joined() + (cells.last ?? "") + "\n"
    }

    private static func hex(_ number: UInt64) -> String {
        number == 0 ? "0" : "0x" + String(number, radix: 16)
    }
}
