// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import TestSupport

/// A text file of the repository.
struct SourceFile: Sendable {
    /// The path from the repository's root.
    let path: String
    /// The lines as they are.
    let lines: [String]
    /// The lines of Swift or C without what stands in comments and string literals.
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        code = CodeText.blanked(text).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isC: Bool { path.hasSuffix(".c") || path.hasSuffix(".h") }

    /// The target that the file belongs to, for files in Sources and Tests.
    var target: String? {
        let parts = path.split(separator: "/")
        guard parts.count > 2, parts[0] == "Sources" || parts[0] == "Tests" else { return nil }
        return String(parts[1])
    }
}

/// The files of the repository that people write.
enum SourceTree {
    static let code: [SourceFile] = files {
        $0.hasSuffix(".swift") || $0.hasSuffix(".c") || $0.hasSuffix(".h")
    }
    static let documents: [SourceFile] = files { $0.hasSuffix(".md") }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(SharedFiles.repository)/\(path)")
    }

    private static func files(where isWanted: (String) -> Bool) -> [SourceFile] {
        var found: [SourceFile] = []
        visit("", isWanted, &found)
        return found
    }

    private static func visit(
        _ directory: String,
        _ isWanted: (String) -> Bool,
        _ found: inout [SourceFile]
    ) {
        let root = SharedFiles.repository
        let manager = FileManager.default
        // A directory that cannot be listed has no files; the test of how many there are would notice.
        let names = (try? manager.contentsOfDirectory(atPath: "\(root)/\(directory)")) ?? []
        for name in names.sorted() where !name.hasPrefix(".") {
            let path = directory.isEmpty ? name : "\(directory)/\(name)"
            var isDirectory = false
            guard manager.fileExists(atPath: "\(root)/\(path)", isDirectory: &isDirectory) else {
                continue
            }
            if isDirectory {
                visit(path, isWanted, &found)
            } else if isWanted(name), let data = manager.contents(atPath: "\(root)/\(path)") {
                found.append(SourceFile(path: path, text: String(decoding: data, as: UTF8.self)))
            }
        }
    }
}
