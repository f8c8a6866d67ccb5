// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import TestSupport

/// An archive that tar(1), or python's tarfile, made of files that tests write.
struct ArchiveFile {
    let directory: TemporaryDirectory
    let disk: ImageDescription

    /// A directory with `disk.raw`, `disk.qcow2` and `disk.vmdk` of one disk.
    init(seed: UInt64 = 7) throws {
        var generator = SeededGenerator(seed: seed)
        directory = try TemporaryDirectory()
        disk = .random(using: &generator, largestSize: 3 << 20)
        try disk.writeRaw(to: directory.file("disk.raw"))
        try run("qemu-img convert -f raw -O qcow2 disk.raw disk.qcow2")
        try run("qemu-img convert -f raw -O vmdk -o subformat=streamOptimized disk.raw disk.vmdk")
    }

    /// Runs a script in the directory.
    func run(_ script: String) throws {
        try Tool.check(["bash", "-ec", "cd \(directory.path); " + script])
    }

    /// Writes a file.
    func write(_ name: String, _ text: String) throws {
        try run("cat > '\(name)' <<'END-OF-TEXT'\n\(text)\nEND-OF-TEXT")
    }

    /// An envelope whose disks are `files`; `attributes` go to each file.
    func writeEnvelope(_ files: [String], attributes: String = "") throws {
        let references = files.enumerated().map { index, name in
            "<File ovf:href=\"\(name)\" ovf:id='file\(index)' \(attributes)/>"
        }
        let disks = files.indices.map { "<Disk ovf:diskId=\"d\($0)\" ovf:fileRef=\"file\($0)\"/>" }
        try write(
            "machine.ovf",
            """
            <?xml version="1.0"?>
            <Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
            <!-- <File ovf:href="no.vmdk" ovf:id="file0"/> -->
            <References>\(references.joined())<File ovf:href="boot.iso" ovf:id="iso"/></References>
            <DiskSection><Info><![CDATA[<Disk ovf:fileRef="iso"/>]]></Info>\(disks.joined())
            <Disk ovf:diskId="empty" ovf:capacity="1"/></DiskSection></Envelope>
            """
        )
    }

    /// The image in the archive `name`.
    func open(_ name: String, member: String? = nil) throws(DrayError) -> Image {
        try ImageOpener(gate: DirectoryGate()).open(
            path: directory.file(name),
            member: member
        )
    }

    /// The error of opening it.
    func problem(_ name: String, member: String? = nil) -> DrayError? {
        do throws(DrayError) {
            _ = try open(name, member: member)
            return nil
        } catch { return error }
    }
}
