// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@Suite struct TidyTests {
    @Test("the tree keeps the rules of the house", arguments: TidyRule.all)
    func rules(rule: TidyRule) {
        for file in SourceTree.code {
            for line in rule.violations(file) {
                Issue.record("\(file.path):\(line): \(rule)")
            }
        }
    }

    @Test("the scan sees the tree")
    func seesTheTree() {
        let paths = Set(SourceTree.code.map(\.path))
        #expect(paths.contains("Package.swift"))
        #expect(paths.contains("Sources/BlockIO/AlignedBuffer.swift"))
        #expect(paths.contains("Sources/CLinux/include/CLinux.h"))
        #expect(paths.count > 50)
    }

    @Test("the package depends on no other package")
    func noDependencies() throws {
        let manifest = try #require(SourceTree.code.first { $0.path == "Package.swift" })
        #expect(manifest.code.allSatisfy { !$0.contains(".package(") })
    }

    @Test("links between the documents lead somewhere")
    func links() {
        for document in SourceTree.documents {
            for (line, path) in DocumentLinks.all(in: document) where !SourceTree.exists(path) {
                Issue.record("\(document.path):\(line): there is no \(path)")
            }
        }
    }

    @Test(
        "the command does not load full Foundation",
        .enabled(if: Tool.isInstalled("ldd"), "no ldd")
    )
    func linkage() throws {
        let libraries = try Tool.check(["ldd", DrayBinary.path])
        #expect(libraries.contains("libc.so"))
        #expect(!libraries.contains("libFoundation.so"))
    }
}
