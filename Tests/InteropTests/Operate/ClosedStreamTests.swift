// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// A program started with closed standard streams: no image may get their numbers.
@Suite struct ClosedStreamTests {
    @Test(
        arguments: ["-p <&- >&-", "--progress json <&- >&- 2>&-"]
    )
    func `progress is not written into an image`(options: String) throws {
        let bench = try Workbench(seed: 11, largestSize: 1 << 20)
        let (source, target) = (bench.file("holed.raw"), bench.file("target"))
        // Long enough to show progress on the way; nothing is written where the image begins, which would cover up
        // what went there by mistake.
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", source, "520M"])
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 1 8M 512M", source])
        let script =
            "exec \"$0\" convert -m 1 -t writethrough -f raw -O raw \"$1\" \"$2\" \(options)"
        let result = try Tool.run(["bash", "-c", script, DrayBinary.path, source, target])
        #expect(result.status == 0, "\(result.error)")
        try bench.expectSame(source, "raw", target, "raw")
    }
}
