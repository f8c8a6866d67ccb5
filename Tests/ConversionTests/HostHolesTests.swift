// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Conversion
internal import DiskImage
internal import Fleet
internal import Storage
internal import Synchronization
internal import TestSupport
internal import Testing

@Suite(.timeLimit(.minutes(15)))
struct HostHolesTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func create(_ name: String, _ size: String, writing commands: [String]) throws -> String
    {
        let path = directory.file(name)
        let options = "preallocation=metadata"
        try Tool.check(["qemu-img", "create", "-q", "-f", "qcow2", "-o", options, path, size])
        let arguments = commands.flatMap { ["-c", $0] }
        if !commands.isEmpty { try Tool.check(["qemu-io", "-f", "qcow2"] + arguments + [path]) }
        return path
    }

    private func checksum(_ path: String, _ format: ImageFormat) throws -> JobOutcome {
        let spec = JobSpec(kind: .checksum, sources: [SourceSpec(path: path, format: format)])
        return try LocalFleet(slots: 3).run(spec, runner: LocalRunner(gate: DirectoryGate()))
            .outcome
    }

    @Test func `what is preallocated and never written is not read`() throws {
        let commands = ["write -P 5 1000000 3000000", "write -P 6 33G 1M", "write -P 7 65535M 1M"]
        let image = try create("image", "64G", writing: commands)
        let raw = directory.file("raw")
        try Tool.check(["truncate", "-s", "64G", raw])
        let arguments = commands.flatMap { ["-c", $0] }
        try Tool.check(["qemu-io", "-f", "raw"] + arguments + [raw])
        let outcome = try checksum(image, .qcow2)
        #expect(try checksum(raw, .raw).digest == outcome.digest)
        #expect(outcome.dataBytes < 32 << 20)
        var spec = JobSpec(kind: .convert, sources: [SourceSpec(path: image, format: .qcow2)])
        spec.target = TargetSpec(path: directory.file("copy"), format: .raw)
        let runner = LocalRunner(gate: DirectoryGate())
        let copied = try LocalFleet(slots: 3).run(spec, runner: runner).outcome
        #expect(copied.dataBytes < 32 << 20)
        #expect(try checksum(directory.file("copy"), .raw).digest == outcome.digest)
    }

    @Test func `in an image whose holes are short the file system is not asked for ever`() throws {
        let commands = (0..<800).map { "write -P 1 \($0 * 64)k 8k" }
        let image = try create("image", "64M", writing: commands)
        let counting = Mutex<[CountingStorage]>([])
        let opener = ImageOpener(gate: DirectoryGate()) { storage in
            let wrapped = CountingStorage(storage)
            counting.withLock { $0.append(wrapped) }
            return wrapped
        }
        let disk = try SourceDisk([opener.open(path: image, format: .qcow2)])
        var length: UInt64 = 0
        let whole = GuestRange(GuestOffset(0), length: disk.guestSize)
        for _ in 0..<4 {
            try disk.forEachExtent(in: whole) { run in length += run.range.length }
        }
        #expect(length == 4 * disk.guestSize)
        let asked = counting.withLock { $0.reduce(0) { $0 + $1.counts.extents } }
        #expect((256..<300).contains(asked))
    }

    @Test func `an image without holes is asked about once in a run`() throws {
        let image = directory.file("image")
        try Tool.check(["qemu-img", "create", "-q", "-f", "qcow2", image, "64M"])
        try Tool.check(["qemu-io", "-f", "qcow2", "-c", "write -P 1 0 64M", image])
        let opened = Mutex<[FileStorage]>([])
        let opener = ImageOpener(gate: DirectoryGate()) { storage in
            if let file = storage as? FileStorage { opened.withLock { $0.append(file) } }
            return storage
        }
        let disk = try SourceDisk([opener.open(path: image, format: .qcow2)])
        for start in stride(from: UInt64(0), to: 64 << 20, by: 1 << 20) {
            _ = try disk.map(GuestOffset(start), limit: 1 << 20)
        }
        let questions = opened.withLock { $0.reduce(0) { $0 + $1.extentQuestions } }
        #expect((1..<8).contains(questions))
    }
}
