// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// An OVF package's manifest: a line with the digest of each file (DSP0243, 5.2).
struct OVAManifest: Sendable {
    /// What a line says.
    struct Entry: Sendable {
        /// The digest's name as libcrypto knows it.
        let algorithm: String
        /// Hexadecimal, in lower case.
        let digest: String
    }

    private static let algorithms = ["SHA1": 40, "SHA256": 64, "SHA384": 96, "SHA512": 128]

    /// The lines, by file.
    let entries: [String: Entry]

    /// Reads a manifest: lines `SHA256(disk.vmdk)= 1f…`. Fails with `corrupt` for any other line, and for a file that is there twice, naming
    /// the line; with `unsupported` for other digests.
    init(_ text: [UInt8], name: String) throws(DrayError) {
        var entries: [String: Entry] = [:]
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let line = String(decoding: line, as: UTF8.self)
            if line.utf8.allSatisfy({ " \t\r".utf8.contains($0) }) { continue }
            func problem(_ kind: DrayError.Kind, _ text: String) -> DrayError {
                DrayError(kind, "line \(index + 1) of the manifest \(text)", file: name)
            }
            guard let open = line.firstIndex(of: "("), let close = line.lastIndex(of: ")"),
                open < close
            else { throw problem(.corrupt, "is no digest of a file") }
            let algorithm = Self.trimmed(line[..<open]).uppercased()
            let file = String(line[line.index(after: open)..<close])
            let value = Self.trimmed(line[line.index(after: close)...])
            guard let equals = value.first, equals == "=" else {
                throw problem(.corrupt, "is no digest of a file")
            }
            guard let digits = Self.algorithms[algorithm.replacing("-", with: "")] else {
                throw problem(.unsupported, "has a digest \(algorithm), which Dray does not check")
            }
            let digest = Self.trimmed(value.dropFirst()).lowercased()
            guard digest.utf8.count == digits,
                digest.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) })
            else { throw problem(.corrupt, "has no \(algorithm) of \(digits) digits") }
            let entry = Entry(algorithm: algorithm.replacing("-", with: ""), digest: digest)
            guard entries.updateValue(entry, forKey: file) == nil else {
                throw problem(.corrupt, "has the file \(file) again")
            }
        }
        self.entries = entries
    }

    private static func trimmed(_ text: Substring) -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return String(text)
    }
}
