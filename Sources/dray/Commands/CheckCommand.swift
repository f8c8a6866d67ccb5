// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import DiskImage
internal import Storage

/// `dray check`, with qemu-img's messages and exit codes.
enum CheckCommand {
    private static let corrupt: Int32 = 2
    private static let leaks: Int32 = 3
    private static let nothingToCheck: Int32 = 63

    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let isJSON = try arguments.wantsJSON()
        let path = arguments.positionals[0]
        let layer = try arguments.openAlone(path).layers[0]
        if let problem = try problem(layer, path, arguments) {
            StandardError.report("check: \(problem)")
            return 1
        }
        guard let report = try layer.check() else {
            StandardError.report("check: this image format does not support checks")
            return nothingToCheck
        }
        if isJSON {
            try StandardOutput.write(JSONText.pretty(json(report, layer)) + "\n")
        } else if !arguments.has(.quiet) {
            for finding in report.findings { StandardError.write(finding.escapingControls + "\n") }
            try StandardOutput.write(text(report))
        }
        if report.corruptions > 0 { return corrupt }
        if report.leaks > 0 { return leaks }
        return report.checkErrors > 0 ? 1 : ExitCode.success
    }

    /// What keeps qemu-img from checking, too: a chain that cannot be opened, a key that is not there. A backing image
    /// that the gate does not allow is not looked at.
    private static func problem(
        _ layer: any ImageDriver,
        _ path: String,
        _ arguments: ParsedArguments
    ) throws -> String? {
        if try layer.information().isEncrypted {
            return "\(path.escapingControls): the image is encrypted, and Dray has no key"
        }
        guard layer.backing != nil else { return nil }
        do {
            _ = try arguments.openImage(path)
            return nil
        } catch let error as DrayError {
            return error.kind == .refused ? nil : error.description
        }
    }

    private static func json(_ report: CheckReport, _ layer: any ImageDriver)
        -> FormatInformation.Value
    {
        typealias Field = FormatInformation.Field
        var fields = [Field("check-errors", .number(report.checkErrors))]
        let optional = [
            ("image-end-offset", report.imageEndOffset),
            ("total-clusters", report.totalClusters), ("corruptions", report.corruptions),
            ("leaks", report.leaks),
            ("allocated-clusters", report.allocatedClusters),
            ("fragmented-clusters", report.fragmentedClusters),
            ("compressed-clusters", report.compressedClusters),
        ]
        fields += optional.filter { $0.1 > 0 }.map { Field($0.0, .number($0.1)) }
        fields.append(Field("filename", .text(layer.storage.name)))
        fields.append(Field("format", .text(layer.format.rawValue)))
        return .object(fields)
    }

    private static func text(_ report: CheckReport) -> String {
        var text = ""
        if report.corruptions + report.leaks + report.checkErrors == 0 {
            text += "No errors were found on the image.\n"
        }
        if report.corruptions > 0 {
            text += "\n\(report.corruptions) errors were found on the image.\n"
            text += "Data may be corrupted, or further writes to the image may corrupt it.\n"
        }
        if report.leaks > 0 {
            text += "\n\(report.leaks) leaked clusters were found on the image.\n"
            text += "This means waste of disk space, but no harm to data.\n"
        }
        if report.checkErrors > 0 {
            text += "\n\(report.checkErrors) internal errors have occurred during the check.\n"
        }
        if report.totalClusters > 0, report.allocatedClusters > 0 { text += shares(report) }
        if report.imageEndOffset > 0 { text += "Image end offset: \(report.imageEndOffset)\n" }
        return text
    }

    private static func shares(_ report: CheckReport) -> String {
        let allocated = percent(report.allocatedClusters, of: report.totalClusters)
        let fragmented = percent(report.fragmentedClusters, of: report.allocatedClusters)
        let compressed = percent(report.compressedClusters, of: report.allocatedClusters)
        return "\(report.allocatedClusters)/\(report.totalClusters) = \(allocated)% allocated, "
            + "\(fragmented)% fragmented, \(compressed)% compressed clusters\n"
    }

    /// The share with two digits behind the point.
    private static func percent(_ part: UInt64, of whole: UInt64) -> String {
        FixedPoint.text(Double(part) * 100 / Double(whole), decimals: 2)
    }
}
