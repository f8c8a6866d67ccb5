// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// A compressed stream that a raw image may come in: its guest is what the stream decodes to.
package enum StreamKind: Sendable, CaseIterable {
    /// Members one behind the other (RFC 1952).
    case gzip
    /// Streams one behind the other, each of blocks (The .xz File Format, 1.2.0).
    case xz
    /// Frames one behind the other (RFC 8878).
    case zstd

    /// The kind whose magic number `head`, the first bytes of a file, begins with.
    init?(head: [UInt8]) {
        guard let kind = Self.allCases.first(where: { $0.begins(head) }) else { return nil }
        self = kind
    }

    private func begins(_ head: [UInt8]) -> Bool {
        switch self {
        // ID1, ID2, CM = deflate; of FLG three bits are always 0 (RFC 1952, 2.3.1).
        case .gzip: head.starts(with: [0x1F, 0x8B, 8]) && head.count > 3 && head[3] & 0xE0 == 0
        // Magic, and a stream flag that is always 0 (2.1.1).
        case .xz: head.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0])
        // A frame, or a skippable one, with which parallel compressors begin (3.1.1, 3.1.2).
        case .zstd:
            head.starts(with: [0x28, 0xB5, 0x2F, 0xFD])
                || head.first.map { $0 & 0xF0 == 0x50 } == true
                    && head.dropFirst().starts(with: [0x2A, 0x4D, 0x18])
        }
    }
}
