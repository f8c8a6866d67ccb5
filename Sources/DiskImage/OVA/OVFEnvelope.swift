// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// What Dray needs of an OVF envelope (DSP0243): which files are disks, and whether they are compressed.
///
/// Not a reader of XML in general: it looks at the start tags alone, whatever their namespace prefixes are. Comments,
/// declarations, processing instructions and CDATA sections are passed over.
struct OVFEnvelope: Sendable {
    /// A file of the References section (7.1).
    struct File: Sendable {
        /// Its name: relative to the envelope.
        let href: String
        /// How it is compressed, if it is: `gzip`.
        let compression: String?
        /// Whether it is cut into pieces with names of their own.
        let isChunked: Bool
    }

    /// The files that the DiskSection (9.1) refers to, in its order, each once.
    let disks: [File]

    /// Reads the envelope in `text`.
    init(_ text: [UInt8]) {
        var files: [String: File] = [:]
        var references: [String] = []
        var scanner = TagScanner(text[...])
        while let tag = scanner.next() {
            switch tag.name {
            case "File":
                guard let id = tag.attributes["id"], let href = tag.attributes["href"] else {
                    continue
                }
                let compression = tag.attributes["compression"]
                files[id] = File(
                    href: Self.decoded(href),
                    compression: compression == "" || compression == "identity" ? nil : compression,
                    isChunked: tag.attributes["chunkSize"] != nil
                )
            case "Disk":
                guard let reference = tag.attributes["fileRef"] else { continue }
                if !references.contains(reference) { references.append(reference) }
            default: break
            }
        }
        disks = references.compactMap { files[$0] }
    }

    /// A relative reference without its percent signs (RFC 3986, 2.1).
    private static func decoded(_ href: String) -> String {
        var out: [UInt8] = []
        var rest = Array(href.utf8)[...]
        while let byte = rest.first {
            rest = rest.dropFirst()
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2,
                let value = UInt8(digits, radix: 16)
            {
                out.append(value)
                rest = rest.dropFirst(2)
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
