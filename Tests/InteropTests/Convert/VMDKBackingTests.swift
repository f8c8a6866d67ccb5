// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// VMDK targets on top of a parent: what the parent has is not copied, what hides it is.
@Suite struct VMDKBackingTests {
    static let options = [
        "", "zeroed_grain=on", "subformat=twoGbMaxExtentSparse",
        "subformat=twoGbMaxExtentSparse,zeroed_grain=on", "subformat=streamOptimized",
        "subformat=streamOptimized,zeroed_grain=on",
    ]

    /// A parent of 8 MiB with data, and a child with grains that are written whole, in part, and over with zeros.
    private func chain(_ bench: Workbench, size: String = "8M") throws -> (String, String) {
        let (parent, child) = (bench.file("parent.vmdk"), bench.file("child.qcow2"))
        try Tool.check(["qemu-img", "create", "-q", "-f", "vmdk", parent, "8M"])
        try Tool.check(["qemu-io", "-f", "vmdk", "-c", "write -P 17 0 6M", parent])
        try Tool.check([
            "qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", "-b", parent, "-F",
            "vmdk", child, size,
        ])
        let writes = [
            "write -P 34 64k 128k", "write -P 51 1M 4k", "write -z 2M 1M", "write -z 4100k 8k",
            "write -P 0 5M 64k", "write -P 68 7M 4k",
        ]
        try Tool.check(["qemu-io", "-f", "qcow2"] + writes.flatMap { ["-c", $0] } + [child])
        return (parent, child)
    }

    @Test(arguments: options, ["8M", "12M"])
    func `a child has only what its parent has not`(options: String, size: String) throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let (parent, child) = try chain(bench, size: size)
        let target = bench.file("target.vmdk")
        let all = ["backing_file=parent.vmdk", options].filter { !$0.isEmpty }
        try bench.dray("convert", "-O", "vmdk", "-o", all.joined(separator: ","), child, target)
        try bench.expectSame(child, "qcow2", target, "vmdk")
        try bench.expectClean(target, "vmdk")
        let (own, parents) = (
            try Self.info(target), try Self.info(parent)
        )
        #expect(own["parent cid"] == parents["cid"] && parents["cid"] != nil)
        #expect(own["backing file"]?.hasPrefix("parent.vmdk") == true)
        // Stored: two grains, those of 1M, 4100k and 7M in whole, and the zeros where they cannot be marked.
        let files = bench.directory.names.filter { $0.hasPrefix("target") }
        let length = try files.reduce(0) { try $0 + Workbench.size(bench.file($1)).length }
        let zeros: UInt64 = options.contains("zeroed_grain") ? 0 : 17
        #expect(length < (7 + zeros + 2) << 16, "\(options): \(length)")
    }

    @Test(arguments: options)
    func `a source without the parent is copied whole, and hides it`(options: String) throws {
        let bench = try Workbench(seed: 8, largestSize: 6 << 20)
        let (_, child) = try chain(bench)
        try Tool.check(["rm", child])
        let target = bench.file("target.vmdk")
        let all = ["backing_file=parent.vmdk", options].filter { !$0.isEmpty }
        try bench.dray(
            "convert",
            "-f",
            "raw",
            "-O",
            "vmdk",
            "-o",
            all.joined(separator: ","),
            bench.raw,
            target
        )
        try bench.expectSame(bench.raw, "raw", target, "vmdk")
        try bench.expectClean(target, "vmdk")
    }

    @Test(arguments: ["parent.raw", "parent.qcow2", "missing.vmdk"])
    func `only a vmdk image can be a parent`(name: String) throws {
        let bench = try Workbench(seed: 8, largestSize: 1 << 20)
        for format in ["raw", "qcow2"] {
            let parent = bench.file("parent.\(format)")
            try Tool.check(["qemu-img", "create", "-q", "-f", format, parent, "1M"])
        }
        let before = bench.directory.names
        let result = try DrayBinary.run([
            "convert", "-f", "raw", "-O", "vmdk", "-B", name, bench.raw, bench.file("target.vmdk"),
        ])
        #expect(!result.succeeded && result.error.contains(name), "\(result.error)")
        #expect(bench.directory.names == before)
    }

    @Test func `a parent is not replaced by its child`() throws {
        let bench = try Workbench(seed: 8, largestSize: 1 << 20)
        let (parent, child) = try chain(bench)
        let before = try Tool.check(["sha256sum", parent])
        let result = try DrayBinary.run([
            "convert", "--force", "-O", "vmdk", "-B", "parent.vmdk", child, parent,
        ])
        #expect(result.status == 5, "\(result.error)")
        #expect(try Tool.check(["sha256sum", parent]) == before)
    }

    /// The lines of qemu-img info.
    private static func info(_ path: String) throws -> [String: String] {
        var fields: [String: String] = [:]
        for line in try Tool.check(["qemu-img", "info", path]).split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let key = line[..<colon].drop { $0 == " " }
            fields[String(key)] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return fields
    }
}
