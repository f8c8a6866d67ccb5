// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import DiskImage

/// `dray measure`.
enum MeasureCommand {
    private typealias Field = FormatInformation.Field

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let isJSON = try arguments.wantsJSON()
        let format = try arguments.format(ConvertTable.targetFormat) ?? .raw
        let fields = try fields(arguments, format, arguments.creationOptions().formatOptions)
        if isJSON {
            let json = FormatInformation.Value.object(
                fields.map { Field($0.json, .number($0.bytes)) }
            )
            try StandardOutput.write(JSONText.pretty(json) + "\n")
        } else {
            let lines = fields.map { "\($0.human): \($0.bytes)\n" }
            try StandardOutput.write(lines.joined())
        }
        return ExitCode.success
    }

    private typealias Line = (json: String, human: String, bytes: UInt64)

    private static func fields(
        _ arguments: ParsedArguments,
        _ format: ImageFormat,
        _ options: [FormatOption]
    ) throws -> [Line] {
        let sizeOption = try arguments.size(MeasureTable.size)
        guard (arguments.positionals.first == nil) != (sizeOption == nil) else {
            throw UsageError("give either a FILE or --size")
        }
        if let bytes = sizeOption {
            let rounded = bytes.roundedUp(to: 512) ?? bytes
            let meter = try TargetMeter(
                format,
                guestSize: rounded,
                options: options,
                hasSource: false
            )
            return lines(meter.measurement())
        }
        let image = try arguments.openImage(arguments.positionals[0])
        let map = try DiskMap(image)
        var meter = try TargetMeter(
            format,
            guestSize: map.size,
            options: options,
            hasSource: true
        )
        try map.forEachRun(from: 0, to: map.size) { run throws(DrayError) in
            guard run.isData, !run.isZero else { return }
            meter.addData(GuestRange(GuestOffset(run.start), length: run.length))
        }
        let bitmaps = try bitmapBytes(image, clusterSize: meter.clusterSize)
        return lines(meter.measurement(bitmaps: bitmaps))
    }

    /// The space that the image's bitmaps take in a target; nil where its format has none.
    private static func bitmapBytes(
        _ image: Image,
        clusterSize: UInt64
    ) throws(DrayError) -> UInt64? {
        guard let source = image.layers[0] as? QCOW2Driver, source.header.version >= 3 else {
            return nil
        }
        return try BitmapSpace(source, clusterSize: clusterSize).bytes
    }

    private static func lines(_ size: Measurement) -> [Line] {
        let sizes: [Line] = [
            ("required", "required size", size.required),
            ("fully-allocated", "fully allocated size", size.fullyAllocated),
        ]
        return sizes + (size.bitmaps.map { [("bitmaps", "bitmaps size", $0)] } ?? [])
    }
}
