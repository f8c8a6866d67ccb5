// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import DiskImage

/// `dray info`.
enum InfoCommand {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        let isJSON = try arguments.wantsJSON()
        let hasChain = arguments.has(InfoTable.backingChain)
        let path = arguments.positionals[0]
        let image = hasChain ? try arguments.openImage(path) : try arguments.openAlone(path)
        let descriptions = try image.layers.map { layer throws(DrayError) in
            try LayerDescription(layer, archived: image.archived)
        }
        if isJSON {
            let values = descriptions.map(\.json)
            try StandardOutput.write(JSONText.pretty(hasChain ? .list(values) : values[0]) + "\n")
        } else {
            let texts = descriptions.map { LayerText($0).text }
            try StandardOutput.write(texts.joined(separator: "\n"))
        }
        return ExitCode.success
    }
}
