// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import DiskImage
internal import Storage

/// Opening images as the options of a command say.
extension ParsedArguments {
    /// The image at `path` with its chain of backing images.
    func openImage(
        _ path: String,
        format option: OptionSpec = .sourceFormat,
        member: OptionSpec = .member
    ) throws -> Image {
        let opener = try opener()
        return try opener.open(
            path: path,
            format: format(option),
            snapshot: snapshotIfTaken(),
            member: value(member)
        )
    }

    /// The image at `path` alone: its backing image is not opened.
    func openAlone(_ path: String) throws -> Image {
        let opener = try opener()
        return try opener.openAlone(
            path: path,
            format: format(.sourceFormat),
            member: value(.member)
        )
    }

    private func opener() throws -> ImageOpener {
        let takesCache = command.options.contains(.sourceCache)
        let cache = takesCache ? try cache(.sourceCache, default: .writeback) : .writeback
        return ImageOpener(gate: try gate(), cache: cache)
    }

    private func snapshotIfTaken() throws -> SnapshotChoice? {
        command.options.contains(.snapshot) ? try snapshot() : nil
    }
}
