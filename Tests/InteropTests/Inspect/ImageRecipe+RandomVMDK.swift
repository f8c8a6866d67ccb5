// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport

extension ImageRecipe {
    /// The size of a grain as qemu makes them, in bytes.
    private static let grain = 65_536

    /// A random disk of `subformat` that qemu makes, on up to three parents where the subformat can have them, from `seed`.
    static func randomVMDK(_ subformat: String, seed: UInt64) -> ImageRecipe {
        var random = SeededGenerator(seed: seed)
        let isSparse = subformat == "monolithicSparse" || subformat == "twoGbMaxExtentSparse"
        let size = size(subformat, &random)
        var options = "subformat=\(subformat)"
        let hasZeros = isSparse && Bool.random(using: &random)
        if hasZeros { options += ",zeroed_grain=on" }
        var lines: [String] = []
        if subformat == "streamOptimized" {
            lines.append("create -f raw source \(size)")
            lines.append("io source \(strokes(size, zeros: false, &random))")
            lines.append("qemu-img convert -f raw -O vmdk -o \(options) source image")
            return ImageRecipe("vmdk \(options), seed \(seed)", lines.joined(separator: "; "))
        }
        let parents = isSparse ? Int.random(in: 0...3, using: &random) : 0
        for layer in 0...parents {
            let name = layer == parents ? "image" : "layer\(layer)"
            let below = layer == 0 ? "" : "-b layer\(layer - 1) -F vmdk"
            // Disks grow and shrink from one layer to the next.
            let grown = layer > 0 && Bool.random(using: &random) ? size + 77 * 512 : size
            lines.append("create -f vmdk -o \(options) \(below) \(name) \(grown)")
            lines.append("io \(name) \(strokes(size, zeros: hasZeros, &random))")
        }
        return ImageRecipe("vmdk \(options), seed \(seed)", lines.joined(separator: "; "))
    }

    /// Sizes of all sorts: whole grains and tables, and not; and more than 2 GiB.
    private static func size(_ subformat: String, _ random: inout SeededGenerator) -> Int {
        let table = 512 * grain
        let special = [512, grain, table, table + 512, table - 512, 2 * table]
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return special.randomElement(using: &random) ?? grain
        case 1 where subformat != "streamOptimized":
            return (2 << 30)
                + [-512, 0, 512, grain, 2 << 30][Int.random(in: 0..<5, using: &random)]
        default: return 512 * Int.random(in: 1...60_000, using: &random)
        }
    }

    /// Writes of all sizes at all places, the ends of split files among them; `zeros` lets some be zeros by metadata.
    private static func strokes(
        _ size: Int,
        zeros: Bool,
        _ random: inout SeededGenerator
    ) -> String {
        var strokes: [String] = []
        for _ in 0..<Int.random(in: 1...25, using: &random) {
            var start = Int.random(in: 0..<size, using: &random) / 512 * 512
            if Bool.random(using: &random), size > 2 << 30 { start = (2 << 30) - 1024 }
            let length = [512, 4096, grain, 3 * grain, 777 * 512].randomElement(using: &random)
            let isZero = zeros && Int.random(in: 0..<4, using: &random) == 0
            if isZero { start = start / grain * grain }
            let count = min(size - start, isZero ? 2 * grain : length ?? 512)
            let pattern = Int.random(in: 1...255, using: &random)
            strokes.append("'write \(isZero ? "-z" : "-P \(pattern)") \(start) \(count)'")
        }
        return strokes.joined(separator: " ")
    }
}
