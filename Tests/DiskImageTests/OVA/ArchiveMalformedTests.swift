// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import TestSupport
internal import Testing

/// Archives that are not right, or want more than Dray does: an error that names it.
@Suite struct ArchiveMalformedTests {
    /// A script that makes `a.ova`, and words of its error.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let script: String
        let error: DrayError.Kind
        let words: [String]
    }

    /// Changes bytes of a.ova, and mends the checksum of its first header.
    private static func patch(_ code: String) -> String {
        """
        tar --format=gnu -cf a.ova disk.raw
        python3 - <<'E'
        a = bytearray(open("a.ova", "rb").read())
        \(code)
        a[148:156] = b" " * 8
        a[148:156] = b"%06o\\0 " % sum(a[:512])
        open("a.ova", "wb").write(a)
        E
        """
    }

    static let cases = [
        Case(
            testDescription: "a damaged header",
            script:
                "tar -cf a.ova note disk.raw; printf X | dd of=a.ova bs=1 seek=1030 conv=notrunc status=none",
            error: .corrupt,
            words: ["checksum", "1024"]
        ),
        Case(
            testDescription: "a member beyond the end",
            script: patch("a[124:136] = b'00777777777\\0'"),
            error: .corrupt,
            words: ["disk.raw", "134217727"]
        ),
        Case(
            testDescription: "a size beyond all files",
            script: patch("a[124:136] = b'\\x80' + b'\\0\\0\\0' + b'\\x7f' + b'\\xff' * 7"),
            error: .corrupt,
            words: ["9223372036854775807"]
        ),
        Case(
            testDescription: "a negative size",
            script: patch("a[124:136] = b'\\xff' * 12"),
            error: .corrupt,
            words: ["no number"]
        ),
        Case(
            testDescription: "a size that is no number",
            script: patch("a[124:136] = b'0000000009z\\0'"),
            error: .corrupt,
            words: ["no number"]
        ),
        Case(
            testDescription: "an archive without its end",
            script: "tar -b1 -cf a.ova disk.raw; truncate -s -1024 a.ova",
            error: .corrupt,
            words: ["no end mark"]
        ),
        Case(
            testDescription: "a cut member",
            script: "tar -cf a.ova disk.raw; truncate -s 2000 a.ova",
            error: .corrupt,
            words: ["ends beyond the archive"]
        ),
        Case(
            testDescription: "a sparse member of GNU tar",
            script:
                "truncate -s 4M hole.raw; echo x >> hole.raw; tar --format=gnu -S -cf a.ova hole.raw",
            error: .unsupported,
            words: ["hole.raw", "sparse"]
        ),
        Case(
            testDescription: "a sparse member of pax",
            script:
                "truncate -s 4M hole.raw; echo x >> hole.raw; tar --format=posix -S -cf a.ova hole.raw",
            error: .unsupported,
            words: ["sparse"]
        ),
        Case(
            testDescription: "a name twice",
            script: "tar -cf a.ova disk.raw; tar -rf a.ova ./disk.raw",
            error: .corrupt,
            words: ["two members", "disk.raw"]
        ),
        Case(
            testDescription: "no disk",
            script: "tar -cf a.ova note",
            error: .unsupported,
            words: ["none"]
        ),
        Case(
            testDescription: "an archive in the archive",
            script: "tar -cf inner.img disk.raw; tar -cf a.ova inner.img",
            error: .unsupported,
            words: ["archive inside an archive"]
        ),
        Case(
            testDescription: "a format that Dray does not know",
            script: "cp disk.raw disk.vhdx; tar -cf a.ova disk.vhdx",
            error: .unsupported,
            words: ["vhdx"]
        ),
        Case(
            testDescription: "a disk with a backing file",
            script:
                "qemu-img create -q -f qcow2 -b disk.raw -F raw top.qcow2; tar -cf a.ova top.qcow2",
            error: .refused,
            words: ["top.qcow2", "another file"]
        ),
        Case(
            testDescription: "a disk of several files",
            script: """
                qemu-img convert -f raw -O vmdk -o subformat=monolithicFlat disk.raw flat.vmdk
                tar -cf a.ova flat.vmdk
                """,
            error: .refused,
            words: ["flat.vmdk", "another file"]
        ),
        Case(
            testDescription: "a manifest without the disk",
            script:
                "echo 'SHA1(note)= \(String(repeating: "0", count: 40))' > m.mf; tar -cf a.ova m.mf disk.raw",
            error: .corrupt,
            words: ["no digest of disk.raw"]
        ),
        Case(
            testDescription: "a manifest that is none",
            script: "printf '\\nhello\\n' > m.mf; tar -cf a.ova m.mf disk.raw",
            error: .corrupt,
            words: ["line 2", "m.mf"]
        ),
        Case(
            testDescription: "a manifest with a short digest",
            script: "echo 'SHA256(disk.raw)= 1234' > m.mf; tar -cf a.ova m.mf disk.raw",
            error: .corrupt,
            words: ["line 1", "64 digits"]
        ),
        Case(
            testDescription: "a manifest with another digest",
            script: "echo 'MD5(disk.raw)= 1234' > m.mf; tar -cf a.ova m.mf disk.raw",
            error: .unsupported,
            words: ["line 1", "MD5"]
        ),
        Case(
            testDescription: "an envelope that names what is not there",
            script: """
                echo '<File id="a" href="gone.vmdk"/><Disk fileRef="a"/>' > m.ovf
                tar -cf a.ova m.ovf disk.raw
                """,
            error: .corrupt,
            words: ["envelope names the disk gone.vmdk", "disks that are there: none"]
        ),
        Case(
            testDescription: "a disk in chunks",
            script: """
                echo '<File id="a" href="disk.raw" chunkSize="7"/><Disk fileRef="a"/>' > m.ovf
                tar -cf a.ova m.ovf disk.raw
                """,
            error: .unsupported,
            words: ["chunks"]
        ),
        Case(
            testDescription: "another compression",
            script: """
                echo '<File id="a" href="disk.raw" compression="lzip"/><Disk fileRef="a"/>' > m.ovf
                tar -cf a.ova m.ovf disk.raw
                """,
            error: .unsupported,
            words: ["lzip"]
        ),
        Case(
            testDescription: "a huge envelope",
            script: "truncate -s 5M m.ovf; tar -cf a.ova m.ovf disk.raw",
            error: .unsupported,
            words: ["m.ovf", "4194304"]
        ),
    ]

    @Test(arguments: cases)
    func `what is wrong is named`(wrong: Case) throws {
        let archive = try ArchiveFile()
        try archive.write("note", "a note")
        try archive.run(wrong.script)
        let error = try #require(archive.problem("a.ova"))
        #expect(error.kind == wrong.error, "\(error)")
        for word in wrong.words { #expect("\(error)".contains(word), "\(error)") }
    }

    @Test func `only disks that are there are offered instead of one that is not`() throws {
        let archive = try ArchiveFile()
        try archive.writeEnvelope(["gone.vmdk", "disk.vmdk"])
        try archive.run("tar -cf a.ova machine.ovf disk.vmdk")
        let promised = try #require(archive.problem("a.ova", member: "gone.vmdk"))
        #expect(promised.kind == .corrupt, "\(promised)")
        #expect("\(promised)".contains("names the disk gone.vmdk, but"), "\(promised)")
        #expect("\(promised)".hasSuffix("that are there: disk.vmdk"), "\(promised)")
        let unheard = try #require(archive.problem("a.ova", member: "zz"))
        #expect(unheard.kind == .invalid, "\(unheard)")
        #expect("\(unheard)".hasSuffix("no member zz; its disks are: disk.vmdk"), "\(unheard)")
    }

    @Test func `bytes at random give an error or the disk`() throws {
        var generator = SeededGenerator(for: "archive fuzz")
        let archive = try ArchiveFile()
        try archive.writeEnvelope(["disk.vmdk"])
        try archive.run("tar -cf good.ova machine.ovf disk.vmdk; cp good.ova a.ova")
        let good = archive.directory.file("good.ova")
        let size = try Tool.check(["stat", "-c", "%s", good]).split(separator: "\n").first
        let length = try #require(size.flatMap { Int($0) })
        for _ in 0..<60 {
            // Headers and the envelope are in front.
            let place = Int.random(in: 0..<min(length, 4096), using: &generator)
            let byte = UInt8.random(in: 1...255, using: &generator)
            let octal = "\\\\" + String(byte, radix: 8)
            try archive.run(
                "cp good.ova a.ova; printf \"$(printf '\(octal)')\" | dd of=a.ova bs=1 seek=\(place) conv=notrunc status=none"
            )
            let error = archive.problem("a.ova")
            #expect(error?.kind != .bug, "DRAY_SEED=\(generator.seed) \(place) \(byte)")
        }
    }
}
