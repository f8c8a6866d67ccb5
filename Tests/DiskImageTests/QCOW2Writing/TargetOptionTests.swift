// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import DiskImage
import TestSupport
import Testing

/// What `-o` takes, and what is refused in which words.
@Suite struct TargetOptionTests {
    static let refused: [(ImageFormat, String, DrayError.Kind, String)] = [
        (.qcow2, "foo=bar", .invalid, "no option 'foo'"),
        (.qcow2, "backing_file=json:x,backing_fmt=raw", .invalid, "colon"),
        (.qcow2, "compat=1", .invalid, "v2, v3, 0.10, 1.1"),
        (.qcow2, "compat=0.10,lazy_refcounts=on", .invalid, "lazy_refcounts"),
        (.qcow2, "compat=0.10,refcount_bits=8", .invalid, "refcount_bits"),
        (.qcow2, "compat=v2,extended_l2=on", .invalid, "extended_l2"),
        (.qcow2, "compat=v2,compression_type=zstd", .invalid, "compression_type"),
        (.qcow2, "extended_l2=on,cluster_size=8k", .invalid, "16384"),
        (.qcow2, "cluster_size=4M", .invalid, "512 to 2M"),
        (.qcow2, "cluster_size=1000", .invalid, "512 to 2M"),
        (.qcow2, "cluster_size=256", .invalid, "512 to 2M"),
        (.qcow2, "cluster_size=0", .invalid, "512 to 2M"),
        (.qcow2, "cluster_size=64KiB", .invalid, "suffix"),
        (.qcow2, "cluster_size=-1", .invalid, "suffix"),
        (.qcow2, "cluster_size=16777216T", .invalid, "suffix"),
        (.qcow2, "refcount_bits=3", .invalid, "1 to 64"),
        (.qcow2, "refcount_bits=0", .invalid, "1 to 64"),
        (.qcow2, "refcount_bits=128", .invalid, "1 to 64"),
        (.qcow2, "refcount_bits=16k", .invalid, "number"),
        (.qcow2, "lazy_refcounts=maybe", .invalid, "'on' or 'off'"),
        (.qcow2, "preallocation=some", .invalid, "off, metadata, falloc, full"),
        (.qcow2, "compression_type=lz4", .invalid, "zlib, zstd"),
        (.qcow2, "backing_fmt=raw", .invalid, "without backing_file"),
        (.qcow2, "backing_file=base.raw", .invalid, "backing_fmt"),
        (.qcow2, "backing_file=base.raw,backing_fmt=foo", .invalid, "raw, qcow2"),
        (.qcow2, "backing_file=b,backing_fmt=raw,preallocation=full", .invalid, "extended_l2"),
        (.qcow2, "cluster_size=512,backing_fmt=raw,backing_file=" + name(400), .invalid, "fit"),
        (.qcow2, "backing_fmt=raw,backing_file=" + name(1024), .invalid, "1023"),
        (.qcow2, "backing_fmt=raw,backing_file=", .invalid, "1023"),
        (.qcow2, "size=20M", .invalid, "size"),
        (.qcow2, "encryption=on", .unsupported, "encryption"),
        (.qcow2, "encrypt.format=luks", .unsupported, "encrypt.format"),
        (.qcow2, "data_file=x", .unsupported, "data_file"),
        (.qcow2, "data_file_raw=on", .unsupported, "data_file_raw"),
        (.raw, "preallocation=metadata", .invalid, "off, falloc, full"),
        (.raw, "cluster_size=64k", .invalid, "no option 'cluster_size'"),
    ]

    @Test("what cannot be done is refused, naming what would be accepted", arguments: refused)
    func refusals(format: ImageFormat, options: String, kind: DrayError.Kind, words: String) {
        let error = #expect(throws: DrayError.self) {
            try TargetFormats.make(format, guestSize: 10 << 20, options: parse(options))
        }
        #expect(error?.kind == kind)
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
    }

    @Test(
        "values are read as qemu-img reads them",
        arguments: [
            ("cluster_size=64K", 65_536), ("cluster_size=0x10000", 65_536),
            ("cluster_size=0.5M", 524_288), ("cluster_size=65536b", 65_536),
            ("cluster_size=1m", 1 << 20), ("cluster_size=64k,cluster_size=128k", 131_072),
            ("encryption=off,data_file_raw=no", 65_536), ("size=10M", 65_536),
        ]
    )
    func values(options: String, clusterSize: UInt64) throws {
        let target = try QCOW2Target(guestSize: 10 << 20, options: parse(options))
        #expect(target.options.clusterSize == clusterSize)
    }

    @Test("a disk that the L1 table cannot hold is refused with the way out")
    func largestDisk() throws {
        let options = parse("cluster_size=512")
        _ = try QCOW2Target(guestSize: 128 << 30, options: options)
        let error = #expect(throws: DrayError.self) {
            try QCOW2Target(guestSize: (128 << 30) + 512, options: options)
        }
        #expect(error?.kind == .invalid)
        #expect(error?.message.contains("larger cluster_size") == true)
        #expect(throws: DrayError.self) { try QCOW2Target(guestSize: .max, options: []) }
    }

    @Test("a preallocated image that refcounts cannot cover is refused before anything is written")
    func preallocatedBeyondRefcounts() {
        let error = #expect(throws: DrayError.self) {
            let options = parse("cluster_size=512,refcount_bits=64,preallocation=metadata")
            return try QCOW2Target(guestSize: 64 << 30, options: options)
        }
        #expect(error?.kind == .unsupported)
    }

    @Test("each option of a format has a line in its help", arguments: ImageFormat.allCases)
    func help(format: ImageFormat) {
        let lines = TargetFormats.help(for: format).split(separator: "\n").dropFirst()
        #expect(lines.count == TargetFormats.options(for: format).count)
        #expect(lines.allSatisfy { $0.hasPrefix("  ") && $0.contains("> ") })
        #expect(Array(lines) == lines.sorted())
    }

    private static func name(_ count: Int) -> String { String(repeating: "n", count: count) }
}
