// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport
internal import Testing

/// Which disk of an archive is read, and where its bytes are.
@Suite struct ArchiveTests {
    @Test(
        arguments: ["v7", "oldgnu", "gnu", "ustar", "posix"],
        ["disk.raw", "disk.qcow2", "disk.vmdk"]
    )
    func `every kind of tar holds every kind of disk`(format: String, member: String) throws {
        let archive = try ArchiveFile()
        try archive.run(
            "echo more > note.txt; mkdir -p dir; tar --format=\(format) -cf a.tar note.txt dir ./\(member)"
        )
        // Without a magic number an archive is known only by being named one.
        let path = archive.directory.file("a.tar")
        let opener = ImageOpener(gate: DirectoryGate())
        let image = try opener.open(path: path, format: format == "v7" ? .ova : nil)
        #expect(image.archived?.name == member && image.archived?.others == [])
        #expect(image.archived?.digests == nil)
        #expect(image.guestSize == archive.disk.size)
        #expect("\(image.layers[0].format)" == String(member.dropFirst(5)))
        #expect(image.layers[0].storage.length > 0)
    }

    @Test func `long names, pax names and large sizes are understood`() throws {
        let archive = try ArchiveFile()
        let long = String(repeating: "d", count: 90) + "/" + String(repeating: "n", count: 200)
        for format in ["gnu", "posix"] {
            try archive.run(
                "mkdir -p $(dirname \(long)); cp disk.raw \(long).raw; tar --format=\(format) -cf a.tar \(long).raw"
            )
            #expect(try archive.open("a.tar").archived?.name == long + ".raw")
        }
        // 9 GiB need eleven digits more than octal has, or a pax record.
        try archive.run(
            """
            python3 - <<'E'
            import tarfile
            for name, format in (("gnu.tar", tarfile.GNU_FORMAT), ("pax.tar", tarfile.PAX_FORMAT)):
                head = tarfile.TarInfo("big.raw"); head.size = 9 << 30
                with open(name, "wb") as f:
                    f.write(head.tobuf(format)); f.seek(9 << 30, 1); f.write(bytes(10240))
            E
            """
        )
        #expect(try archive.open("gnu.tar").guestSize == 9 << 30)
        #expect(try archive.open("pax.tar").guestSize == 9 << 30)
    }

    @Test func `the envelope says which files are disks, and a name chooses`() throws {
        let archive = try ArchiveFile()
        try archive.run("cp disk.raw two.raw; cp disk.raw other.raw; echo i > boot.iso")
        try archive.writeEnvelope(["disk.vmdk", "two.raw"])
        try archive.run("tar -cf a.ova machine.ovf boot.iso disk.vmdk two.raw other.raw")
        let error = try #require(archive.problem("a.ova"))
        #expect(error.kind == .invalid && "\(error)".contains("disk.vmdk, two.raw"), "\(error)")
        #expect(!"\(error)".contains("other.raw"))
        let image = try archive.open("a.ova", member: "two.raw")
        #expect(image.archived?.name == "two.raw" && image.archived?.others == ["disk.vmdk"])
        #expect(try archive.open("a.ova", member: "./other.raw").archived?.name == "other.raw")
        let none = try #require(archive.problem("a.ova", member: "three.raw"))
        #expect(none.kind == .invalid && "\(none)".contains("disk.vmdk, two.raw"), "\(none)")
        let plain = try #require(archive.problem("disk.raw", member: "two.raw"))
        #expect(plain.kind == .invalid, "\(plain)")
    }

    @Test func `names in the envelope are unescaped, and compressed disks decoded`() throws {
        let archive = try ArchiveFile()
        try archive.run("gzip -c disk.raw > 'a disk & more.gz'")
        try archive.writeEnvelope(
            ["a%20disk%20&amp;%20more.gz"],
            attributes: "ovf:compression='gzip'"
        )
        try archive.run("tar -cf a.ova machine.ovf 'a disk & more.gz'")
        let image = try archive.open("a.ova")
        #expect(image.guestSize == archive.disk.size)
        #expect(image.layers[0].format == .gzip)
    }

    @Test func `a manifest's digests come with the disk`() throws {
        let archive = try ArchiveFile()
        try archive.writeEnvelope(["disk.vmdk"])
        for (name, tool) in [("SHA1", "sha1sum"), ("SHA256", "sha256sum"), ("SHA512", "sha512sum")]
        {
            try archive.run(
                """
                for f in machine.ovf disk.vmdk; do
                    echo "\(name)($f)= $(\(tool) $f | cut -d' ' -f1 | tr a-f A-F)"
                done > machine.mf
                tar -cf a.ova machine.ovf machine.mf disk.vmdk
                """
            )
            let digests = try #require(try archive.open("a.ova").archived?.digests)
            #expect(digests.map(\.algorithm) == [name, name])
            let expected = try Tool.check([tool, archive.directory.file("disk.vmdk")])
            #expect(expected.hasPrefix(digests[1].digest))
            #expect(digests[1].storage.length > 0)
        }
    }
}
