// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import Testing

/// The rules themselves: what breaks each, and what only looks like it.
@Suite struct TidyRuleTests {
    @Test("a rule sees what breaks it", arguments: RuleSample.broken)
    func broken(sample: RuleSample) {
        #expect(sample.rule.violations(sample.file) == [sample.line])
    }

    @Test("a rule lets pass what only looks broken", arguments: RuleSample.kept)
    func kept(sample: RuleSample) {
        #expect(sample.rule.violations(sample.file).isEmpty)
    }

    @Test("comments and strings are not code, interpolations are")
    func blanking() {
        let source = ##"""
            let a = "x \(f("y")) {" // {
            /* { /* { */ { */ let b = #"\#(g) \(h) ""#
            let c = '"' + "\"{" + d
            """##
        let expected = """
            let a =      f(   )
                              let b =      g
            let c =     +       + d
            """
        let blanked = CodeText.blanked(source).split(separator: "\n").map { line in
            String(line.reversed().drop { $0 == " " }.reversed())
        }
        #expect(blanked == expected.split(separator: "\n").map(String.init))
    }

    @Test("a function is measured from its first line to its last brace")
    func lengths() {
        let text = """
            protocol P {
                func noBody() throws
                init()
            }
            struct S {
                init(
                    _ a: Int = { 1 }()
                ) {
                    self.init { "}" }
                }
                @discardableResult package static func f() -> Int { 1 }
            }
            """
        let found = FunctionLength.all(in: SourceFile(path: "a.swift", text: text))
        #expect(found.map(\.line) == [6, 11])
        #expect(found.map(\.length) == [5, 1])
    }

    @Test("a link is resolved from its document")
    func links() {
        let text = """
            [a](b.md) [c](../d.md#e) [f](https://g/h) [i](#j)
            ```
            [k](l)
            ```
            ![m](/n.png "title")
            """
        let found = DocumentLinks.all(in: SourceFile(path: "docs/x.md", text: text))
        #expect(found.map(\.path) == ["docs/b.md", "d.md", "n.png"])
        #expect(found.map(\.line) == [1, 1, 5])
    }
}

/// A file that breaks a rule, or seems to.
struct RuleSample: Sendable {
    let rule: TidyRule
    let file: SourceFile
    /// Where it breaks the rule.
    let line: Int

    init(
        _ rule: TidyRule,
        in path: String = "Sources/Storage/A.swift",
        at line: Int = 1,
        _ text: String
    ) {
        self.rule = rule
        self.line = line
        file = SourceFile(path: path, text: text)
    }

    private static let longFunction =
        "func f() {\n" + String(repeating: "a\n", count: 69) + "}\n"

    static let broken = [
        RuleSample(.header, "// SPDX-License-Identifier: Apache-2.0\n"),
        RuleSample(.fileLength, at: 502, String(repeating: "\n", count: 501)),
        RuleSample(.functionLength, longFunction),
        RuleSample(.leftovers, at: 2, "\n// TO" + "DO: more"),
        RuleSample(.foundation, "internal import Foundation"),
        RuleSample(.foundation, "import struct Foundation.Data"),
        RuleSample(.printing, "{ print(1) }"),
        RuleSample(.forced, "let a = try! b()"),
        RuleSample(.forced, "let a = b as! C"),
        RuleSample(.forced, "default: fatalError(" + "\"unreachable\")"),
        RuleSample(.targets, "internal import CCrypto"),
        RuleSample(.targets, in: "Sources/DiskImage/A.swift", "internal import CLinux"),
        RuleSample(.unexplained, at: 2, "/// Text.\nfinal class A: @unchecked Sendable {\n}"),
        RuleSample(.unexplained, "nonisolated(unsafe) var a = 1"),
    ]

    static let kept = [
        RuleSample(
            .header,
            "// SPDX-FileCopyrightText: 2026 The Dray authors\n"
                + "// SPDX-License-Identifier: Apache-2.0\n"
        ),
        RuleSample(.fileLength, String(repeating: "\n", count: 500)),
        RuleSample(
            .functionLength,
            longFunction.replacing("a\na\n", with: "a\n", maxReplacements: 1)
        ),
        RuleSample(.foundation, "import FoundationEssentials"),
        RuleSample(.printing, in: "Sources/dray/A.swift", "print(1)"),
        RuleSample(.printing, "let blueprint(1) // print(2)"),
        RuleSample(.forced, "\"try! and as!\""),
        RuleSample(.targets, "internal import CLinux"),
        RuleSample(.unexplained, "// The lock guards it.\nfinal class A: @unchecked Sendable {}"),
        RuleSample(.unexplained, "final class A:\n    @unchecked Sendable\n{\n    // The lock.\n}"),
    ]
}
