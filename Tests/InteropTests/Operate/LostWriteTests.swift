// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// Writes that the page cache took and the device did not: a conversion that was to be durable says so.
@Suite(.enabled(if: LoopDevice.isAvailable && SmallFileSystem.isAvailable))
struct LostWriteTests {
    @Test(.timeLimit(.minutes(15)), arguments: ["writeback", "writethrough", "none"])
    func `what a device could not take fails the conversion`(cache: String) throws {
        let bench = try Workbench(seed: 12, largestSize: 1 << 20)
        let source = bench.file("large.raw")
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", source, "40M"])
        try Tool.check(["qemu-io", "-f", "raw", "-c", "write -P 1 0 40M", source])
        let small = try SmallFileSystem(size: 16 << 20)
        // The script detaches the device, so that the file system can go.
        let script = """
            truncate -s 64M "$1/device" && loop=$(losetup --find --show "$1/device") || exit 99
            "$0" convert -n -f raw -O raw -t \(cache) "$2" "$loop"; status=$?
            losetup --detach "$loop"; exit $status
            """
        let command = ["bash", "-c", script, DrayBinary.path, small.path, source]
        let result = try Tool.run(command)
        #expect(result.status == 1, "\(result.status) \(result.error)")
        #expect(result.error.contains("/dev/loop"), "\(result.error)")
    }
}
