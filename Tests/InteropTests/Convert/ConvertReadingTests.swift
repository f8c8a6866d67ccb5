// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// What qemu-img writes, as dray reads it.
@Suite struct ConvertReadingTests {
    /// Options with whether the image is compressed.
    static let cases: [(String, Bool)] =
        ConvertOptions.written.map { ($0, false) } + [
            ("", true), ("compat=0.10", true), ("compression_type=zstd", true),
            ("cluster_size=512", true), ("cluster_size=2M", true),
            ("cluster_size=2M,compression_type=zstd", true), ("extended_l2=on", true),
            ("data_file=DATA", false), ("data_file=DATA,data_file_raw=on", false),
            ("data_file=DATA,extended_l2=on", false),
        ]

    @Test(arguments: cases)
    func `every qcow2 option of qemu-img reads right`(options: String, isCompressed: Bool) throws {
        for seed in SeededGenerator.seeds(3) {
            let bench = try Workbench(seed: seed)
            let image = bench.file("image.qcow2")
            var command = ["qemu-img", "convert", "-f", "raw", "-O", "qcow2"]
            if isCompressed { command.append("-c") }
            let named = options.split(separator: "DATA", omittingEmptySubsequences: false)
                .joined(separator: bench.file("data"))
            if !options.isEmpty { command += ["-o", named] }
            try Tool.check(command + [bench.raw, image])
            let target = bench.file("target.raw")
            let result = try DrayBinary.run(["convert", "-O", "raw", image, target])
            try #require(result.succeeded, "DRAY_SEED=\(seed) \(options): \(result.error)")
            #expect(
                try Tool.run(["cmp", bench.raw, target]).succeeded,
                "DRAY_SEED=\(seed) \(options)"
            )
            let identical = try DrayBinary.run(["compare", bench.raw, image])
            #expect(identical.succeeded, "DRAY_SEED=\(seed): \(identical.output)\(identical.error)")
        }
    }

    @Test(
        arguments: [
            "", "zeroed_grain=on", "subformat=monolithicFlat", "subformat=twoGbMaxExtentSparse",
            "subformat=twoGbMaxExtentFlat", "subformat=streamOptimized",
        ]
    )
    func `every VMDK subformat of qemu-img reads right`(options: String) throws {
        for seed in SeededGenerator.seeds(3) {
            let bench = try Workbench(seed: seed)
            let image = bench.file("image.vmdk")
            var command = ["qemu-img", "convert", "-f", "raw", "-O", "vmdk"]
            if !options.isEmpty { command += ["-o", options] }
            try Tool.check(command + [bench.raw, image])
            let (target, peer) = (bench.file("target.raw"), bench.file("peer.raw"))
            let result = try DrayBinary.run(["convert", "-O", "raw", image, target])
            try #require(result.succeeded, "DRAY_SEED=\(seed) \(options): \(result.error)")
            try Tool.check(["qemu-img", "convert", "-O", "raw", image, peer])
            #expect(try Tool.run(["cmp", peer, target]).succeeded, "DRAY_SEED=\(seed)")
            let identical = try DrayBinary.run(["compare", bench.raw, image])
            #expect(identical.succeeded, "DRAY_SEED=\(seed): \(identical.output)\(identical.error)")
            let (ours, theirs) = (
                try DrayBinary.run(["checksum", image]), try DrayBinary.run(["checksum", peer])
            )
            #expect(ours.output.prefix(64) == theirs.output.prefix(64))
        }
    }

    @Test func `a disk of more extents than files are open by default is read`() throws {
        let directory = try TemporaryDirectory()
        let script = """
            cd "$0"; exec > disk; echo version=1; echo CID=1; echo createType='"custom"'
            for i in $(seq 1000); do
                printf '%0511d\\n' $i > part$i; echo "RW 1 FLAT \\"part$i\\" 0"; cat part$i >> all
            done
            """
        try Tool.check(["bash", "-c", script, directory.path])
        let convert = """
            ulimit -Sn 100; "$0" convert -O raw "$1/disk" "$1/raw" && cmp "$1/raw" "$1/all"
            """
        let result = try Tool.run(["bash", "-c", convert, DrayBinary.path, directory.path])
        #expect(result.succeeded, "\(result)")
    }

    @Test func `an internal snapshot is read by name and by id`() throws {
        let bench = try Workbench(seed: 5, sizeUnit: 65536)
        let (image, target) = (bench.file("image.qcow2"), bench.file("target.raw"))
        try Tool.check(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", bench.raw, image])
        try Tool.check(["qemu-img", "snapshot", "-c", "before", image])
        try Tool.check(["qemu-io", "-c", "write -P 9 0 64k", image])
        for name in [
            "before", "1", "snapshot.name=before", "snapshot.id=1",
            "snapshot.id=1,snapshot.name=before",
        ] {
            try bench.dray("convert", "-l", name, "-O", "raw", image, target)
            try Tool.check(["cmp", bench.raw, target])
            try Tool.check(["rm", target])
        }
        let missing = try DrayBinary.run(["convert", "-l", "after", "-O", "raw", image, target])
        #expect(missing.status == 2 && missing.error.contains("after"), "\(missing.error)")
    }

    @Test func `-l takes the snapshot that qemu-img takes, or none where that finds none`() throws {
        let directory = try TemporaryDirectory()
        let script = """
            cd "$0"; qemu-img create -q -f qcow2 image 64k
            for name in s1 s2 2 "a,b=c"; do
                qemu-io -c "write -P $((++n)) 0 64k" image; qemu-img snapshot -c "$name" image
            done
            """
        try Tool.check(["bash", "-c", script, directory.path])
        let image = "\(directory.path)/image"
        let choices = [
            "2", "s2", "3", "nosuch", "a,b=c", "snapshot.id=2", "snapshot.name=2", "snapshot.id=s1",
            "snapshot.id=", "snapshot.name=a,,b=c", "snapshot.id=2,snapshot.name=s2",
            "snapshot.name=2,snapshot.id=3", "snapshot.id=2,snapshot.name=2",
        ]
        for (index, choice) in choices.enumerated() {
            let (ours, theirs) = ("\(directory.path)/o\(index)", "\(directory.path)/t\(index)")
            let command = ["convert", "-l", choice, "-O", "raw", image]
            let dray = try DrayBinary.run(command + [ours])
            let qemu = try Tool.run(["qemu-img"] + command + [theirs])
            #expect(dray.succeeded == qemu.succeeded, "\(choice): \(dray.error) \(qemu.error)")
            if qemu.succeeded { try Tool.check(["cmp", ours, theirs]) }
        }
    }
}
