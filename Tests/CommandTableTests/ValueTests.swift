// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CommandTable
internal import Testing

/// Values of options: sizes, and lists of key=value.
@Suite struct ValueTests {
    @Test(
        arguments: [
            ("0", 0), ("512", 512), ("512b", 512), ("1k", 1024), ("1K", 1024), ("64k", 65536),
            ("1M", 1 << 20), ("2G", 2 << 30), ("1T", 1 << 40), ("1p", 1 << 50), ("1E", 1 << 60),
            ("1.5k", 1536), ("0.5M", 524288), (".5k", 512), ("1.k", 1024), ("0x200", 512),
            ("0X10", 16),
            ("1.0001k", 1024), ("9223372036854775807", UInt64(Int64.max)),
        ] as [(String, UInt64)]
    )
    func `a size means its bytes`(text: String, bytes: UInt64) throws {
        #expect(try ByteSize.parse(text, for: "--size") == bytes)
    }

    @Test(arguments: [
        "", "k", ".", "-1", "+1", "1.5", "1.5b", "1kk", "1 k", "0x", "0x-1", "0x1k", "1e3", "8E",
        "9223372036854775808", "99999999999999999999", "1,5k", "١",
    ])
    func `what is no size is refused by name`(text: String) {
        #expect(throws: UsageError.self) { try ByteSize.parse(text, for: "--size") }
        do {
            _ = try ByteSize.parse(text, for: "--size")
        } catch {
            #expect(error.message.contains("--size"))
        }
    }

    @Test(
        arguments: [
            (["a=1,b=2"], [("a", "1"), ("b", "2")]),
            (["a=1", "b=2"], [("a", "1"), ("b", "2")]),
            (["file=x,,y,b=2"], [("file", "x,y"), ("b", "2")]),
            (["file=,,"], [("file", ",")]),
            (["flag"], [("flag", "on")]),
            (["a=b=c"], [("a", "b=c")]),
            (["a="], [("a", "")]),
        ] as [([String], [(String, String)])]
    )
    func `a list is cut at single commas`(texts: [String], pairs: [(String, String)]) throws {
        let list = try KeyValueList(texts, for: "-o")
        #expect(list.entries == pairs.map { KeyValueList.Entry($0.0, $0.1) })
        #expect(!list.asksForHelp)
    }

    @Test(arguments: ["help", "?", "a=1,help"])
    func `a list may ask for help`(text: String) throws {
        #expect(try KeyValueList([text], for: "-o").asksForHelp)
    }

    @Test(arguments: ["", "a=1,", ",a=1", "=x", "a=1,=2"])
    func `a list with an empty key is refused`(text: String) {
        #expect(throws: UsageError.self) { try KeyValueList([text], for: "-o") }
    }

    @Test(arguments: ["sasl.password=hush,", "=hush", "sasl.password=hush,=x"])
    func `a list that may hold secrets is not repeated in its error`(text: String) {
        let error = #expect(throws: UsageError.self) {
            try KeyValueList([text], for: "--kafka", mayHoldSecrets: true)
        }
        #expect(error?.message.contains("hush") == false)
    }
}
