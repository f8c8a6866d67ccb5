// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// How hard a target's clusters are compressed.
package enum CompressionEffort: Sendable, Hashable {
    /// As fast as the codec goes at a useful size.
    case fast
    /// No larger than what qemu-img makes.
    case balanced
    /// Small, whatever it costs.
    case small
    /// A level of the codec's own.
    case level(Int)

    /// The effort that `text` names: a preset or a number. Fails with `invalid`.
    package init(_ text: String) throws(DrayError) {
        switch text {
        case "fast": self = .fast
        case "balanced": self = .balanced
        case "small": self = .small
        default:
            guard let level = Int(text), text.utf8.allSatisfy({ (48...57).contains($0) }) else {
                throw DrayError(
                    .invalid,
                    "'\(text)' is no compression; it is fast, balanced, small or a level"
                )
            }
            self = .level(level)
        }
    }

    /// The word that ``init(_:)`` takes.
    package var text: String {
        switch self {
        case .fast: "fast"
        case .balanced: "balanced"
        case .small: "small"
        case .level(let level): String(level)
        }
    }
}

extension CompressionEffort: Codable {
    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
