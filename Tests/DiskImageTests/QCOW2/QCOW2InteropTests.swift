// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Testing

/// Images that qemu makes read as qemu reads them.
@Suite struct QCOW2InteropTests {
    static let creationOptions = [
        "compat=0.10", "compat=1.1", "compat=1.1,lazy_refcounts=on",
        "cluster_size=512", "cluster_size=1024", "cluster_size=4096", "cluster_size=2M",
        "compat=0.10,cluster_size=512", "compat=0.10,cluster_size=2M",
        "refcount_bits=1", "refcount_bits=2", "refcount_bits=4", "refcount_bits=8",
        "refcount_bits=32", "refcount_bits=64",
        "preallocation=metadata", "preallocation=falloc", "preallocation=full",
        "preallocation=metadata,cluster_size=512", "preallocation=metadata,compat=0.10",
        "extended_l2=on", "extended_l2=on,cluster_size=16k", "extended_l2=on,cluster_size=2M",
        "extended_l2=on,preallocation=metadata", "compression_type=zstd",
        "data_file=data.raw", "data_file=data.raw,data_file_raw=on",
        "data_file=data.raw,extended_l2=on", "data_file=data.raw,cluster_size=512",
    ]

    static let writes = """
        write -P 1 0 70000
        write -P 2 1M 64k
        write -z 1100000 300000
        write -P 3 1200000 512
        write -P 4 2M 1M
        write -z -u 2200000 200000
        discard 2500000 100000
        write -P 5 5242368 1024
        """

    /// Runs qemu-io with a command a line.
    func qemuIO(_ workshop: QCOW2Workshop, _ image: String, _ commands: String) throws {
        let arguments = commands.split(separator: "\n").map { "-c '\($0)'" }
        try workshop.shell("qemu-io \(arguments.joined(separator: " ")) \(image)")
    }

    @Test(arguments: creationOptions)
    func `content of every kind of image equals what qemu converts it to`(options: String) throws {
        let workshop = try QCOW2Workshop()
        try workshop.shell("qemu-img create -q -f qcow2 -o \(options) image \(5 * 1_048_576 + 512)")
        let lines = Self.writes.split(separator: "\n")
        for count in 0...lines.count {
            if count > 0 { try qemuIO(workshop, "image", String(lines[count - 1])) }
            try workshop.shell("qemu-img convert -f qcow2 -O raw image raw")
            let driver = try workshop.open("image")
            let expected = try workshop.bytes("raw")
            let steps = count == lines.count ? [UInt64.max, 65_536, 4_608] : [.max]
            for step in steps {
                let content = try QCOW2Workshop.content(of: driver, step: step)
                #expect(content == expected, "after \(count) writes, in steps of \(step)")
            }
        }
    }

    @Test(arguments: ["zlib", "zstd"], ["512", "4k", "64k", "2M"])
    func `compressed clusters equal what qemu converts them to`(type: String, size: String) throws {
        let workshop = try QCOW2Workshop()
        try workshop.shell(
            """
            { seq 1 150000; head -c 300000 /dev/urandom; head -c 500000 /dev/zero; seq 7 50000; } > raw
            qemu-img convert -c -O qcow2 -o compression_type=\(type),cluster_size=\(size) raw image
            """
        )
        let driver = try workshop.open("image")
        #expect(try QCOW2Workshop.content(of: driver).starts(with: workshop.bytes("raw")))
    }
}
