// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// VMDK targets of several files that are killed while they get their names.
@Suite struct VMDKSealTests {
    /// A system call of the naming, and which of them.
    static let cuts = [
        ("link", 1), ("link", 2), ("link", 3), ("renameat2", 1), ("unlink", 2), ("unlink", 3),
        ("linkat", 1), ("linkat", 2), ("linkat", 4),
    ]

    @Test(
        .enabled(if: Tool.isInstalled("strace"), "strace ends a process in a system call"),
        arguments: cuts
    )
    func `what is killed in a system call goes on from there`(call: String, number: Int) throws {
        try expectToGoOn(["trace=\(call)", "inject=\(call):signal=SIGKILL:when=\(number)"])
    }

    @Test(
        .enabled(if: Tool.isInstalled("strace"), "strace lets system calls fail"),
        arguments: 1...4
    )
    func `without hard links files are renamed, and it goes on all the same`(number: Int) throws {
        let kill = "inject=renameat2:signal=SIGKILL:when=\(number)"
        try expectToGoOn(["trace=link,renameat2", "inject=link:error=EPERM", kill])
    }

    /// Runs a conversion that strace does this to, and then once more.
    private func expectToGoOn(_ injections: [String]) throws {
        let bench = try Workbench(seed: 1, largestSize: 1 << 20)
        let (source, target) = (bench.file("large.raw"), bench.file("target.vmdk"))
        try Tool.check(["truncate", "-s", "4089M", source])
        try Tool.check([
            "qemu-io", "-f", "raw", "-c", "write -P 3 5M 1M", "-c", "write -P 4 2044M 64k",
            "-c", "write -P 5 4088M 1k", source,
        ])
        let command = [
            DrayBinary.path, "convert", "--journal", bench.file("journal"), "-f", "raw", "-O",
            "vmdk", "-o", "subformat=twoGbMaxExtentSparse", source, target,
        ]
        let trace = ["strace", "-f", "-qq", "-o", bench.file("trace")]
        let killed = try Tool.run(trace + injections.flatMap { ["-e", $0] } + command)
        #expect(!killed.succeeded)
        // What is there under the target's name is whole.
        if bench.directory.names.contains("target.vmdk") {
            try bench.expectSame(source, "raw", target, "vmdk")
        }
        let again = try Tool.run(command)
        #expect(again.succeeded, "\(again.error)")
        try bench.expectSame(source, "raw", target, "vmdk")
        try Tool.check(["bash", "-c", "rm -f \(bench.file("journal"))* \(bench.file("trace"))"])
        #expect(
            bench.directory.names == [
                "large.raw", "source.raw", "target-s001.vmdk", "target-s002.vmdk",
                "target-s003.vmdk", "target.vmdk",
            ]
        )
    }
}
