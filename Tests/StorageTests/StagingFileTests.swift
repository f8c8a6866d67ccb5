// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import FoundationEssentials
import Storage
import TestSupport
import Testing

@Suite struct StagingFileTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test(
        "the target has no name until it is published, and then only that",
        arguments: [true, false]
    )
    func life(isDurable: Bool) throws {
        let staging = try StagingFile(target: directory.file("disk.raw"), job: "job-1")
        #expect(!staging.exists)
        let buffer = AlignedBuffer(count: 3)
        buffer.copy([1, 2, 3], to: 0)
        try staging.create(replacing: false, cache: .unsafe) { storage throws(DrayError) in
            #expect(storage.isZeroInitialized)
            #expect(directory.names.isEmpty)
            try storage.write(HostOffset(0), from: buffer, 0..<2)
        }
        #expect(directory.names == [".disk.raw.job-1.partial"])
        try staging.create(replacing: false, cache: .unsafe) { _ in
            Issue.record("what is there already is not prepared again")
        }
        let storage = try staging.open(cache: .writeback)
        #expect(storage.isZeroInitialized)
        try storage.write(HostOffset(2), from: buffer, 2..<3)
        try staging.publish(replacing: false, isDurable: isDurable)
        #expect(!staging.exists)
        #expect(directory.names == ["disk.raw"])
        #expect(try content("disk.raw") == [1, 2, 3])
    }

    @Test("a preparation that fails leaves nothing behind", arguments: CacheMode.allCases)
    func failedPreparation(cache: CacheMode) throws {
        let staging = try StagingFile(target: directory.file("disk"), job: "a")
        let error = #expect(throws: DrayError.self) {
            try staging.create(replacing: false, cache: cache) { storage throws(DrayError) in
                try storage.resize(1 << 20)
                throw DrayError(.unsupported, "no")
            }
        }
        #expect(error?.kind == .unsupported)
        #expect(directory.names.isEmpty)
    }

    @Test("without O_TMPFILE it goes through a name of its own", arguments: [1, 255])
    func throughName(length: Int) throws {
        let name = String(repeating: "x", count: length)
        let staging = try StagingFile(target: directory.file(name), job: "a")
        #expect(throws: DrayError.self) {
            try staging.createThroughName(.unsafe) { _ throws(DrayError) in
                throw DrayError(.unsupported, "no")
            }
        }
        #expect(directory.names.isEmpty)
        try staging.createThroughName(.unsafe) { storage throws(DrayError) in
            #expect(directory.names.count == 1 && !staging.exists)
            try storage.resize(5)
        }
        try staging.createThroughName(.unsafe) { storage throws(DrayError) in
            try storage.resize(6)
        }
        #expect(directory.names.count == 1)
        #expect(try staging.open(cache: .writeback).length == 5)
    }

    @Test("of attempts at the same time one prepares the file", .timeLimit(.minutes(15)))
    func manyAttempts() async throws {
        let staging = try StagingFile(target: directory.file("disk"), job: "a")
        try await withThrowingTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    try staging.create(replacing: false, cache: .unsafe) {
                        storage throws(DrayError) in
                        try storage.resize(1 << 20)
                    }
                    #expect(try staging.open(cache: .writeback).length == 1 << 20)
                }
            }
            try await group.waitForAll()
        }
        #expect(directory.names == [".disk.a.partial"])
    }

    @Test("an existing target stays as it is without force")
    func refused() throws {
        let staging = try StagingFile(target: directory.file("disk"), job: "a")
        try staging.create(replacing: false, cache: .unsafe) { _ in }
        try Data([9]).write(to: URL(filePath: directory.file("disk")))
        let other = try StagingFile(target: directory.file("disk"), job: "b")
        for call in [
            { try other.create(replacing: false, cache: .unsafe) { _ in } },
            { try staging.checkTarget(replacing: false) },
            { try staging.publish(replacing: false, isDurable: false) },
        ] {
            let error = #expect(throws: DrayError.self) { try call() }
            #expect(error?.kind == .refused)
            #expect(error?.message.contains("--force") == true)
        }
        #expect(try content("disk") == [9])
        #expect(staging.exists)
        try staging.remove()
        try staging.remove()
        #expect(directory.names == ["disk"])
    }

    @Test("a name that is too long is refused before the work, also a further file's")
    func longNames() throws {
        let (long, longest) = (
            String(repeating: "x", count: 256), String(repeating: "y", count: 255)
        )
        let sets = [
            try StagingSet(target: directory.file(long), job: "a"),
            try StagingSet(target: directory.file("disk"), job: "a", others: [longest, long]),
        ]
        for set in sets {
            let error = #expect(throws: DrayError.self) {
                try set.create(replacing: true, cache: .unsafe) { _, _ in }
            }
            #expect(error?.kind == .resource && error?.file == directory.file(long))
            #expect(directory.names.isEmpty)
        }
        let allowed = try StagingFile(target: directory.file(longest), job: "a")
        try allowed.create(replacing: false, cache: .unsafe) { _ in }
        try allowed.publish(replacing: false, isDurable: false)
        #expect(directory.names == [longest])
    }

    @Test("with force the new file takes the old one's place and permissions")
    func replaced() throws {
        try Data([9]).write(to: URL(filePath: directory.file("disk")))
        try Tool.check(["chmod", "640", directory.file("disk")])
        try Tool.check(["ln", "-s", "disk", directory.file("link")])
        let staging = try StagingFile(target: directory.file("link"), job: "a")
        try staging.create(replacing: true, cache: .unsafe) { _ in }
        try staging.publish(replacing: true, isDurable: true)
        #expect(directory.names == ["disk", "link"])
        #expect(try content("disk").isEmpty)
        #expect(try Tool.check(["stat", "-c", "%a %F", directory.file("disk")]).hasPrefix("640 "))
        #expect(try Tool.check(["readlink", directory.file("link")]) == "disk\n")
    }

    @Test("what is no file is not replaced, even with force", arguments: ["/dev/null", "/"])
    func special(target: String) throws {
        let error = #expect(throws: DrayError.self) {
            try StagingFile(target: target, job: "a").checkTarget(replacing: true)
        }
        #expect(error != nil)
        #expect(try Tool.check(["stat", "-c", "%F", "/dev/null"]).hasPrefix("character special"))
    }

    @Test("a name of any legal length has a staging name", arguments: [1, 200, 240, 254, 255])
    func longNames(length: Int) throws {
        for character in ["x", "ß", "🦖"] {
            let count = length / character.utf8.count
            guard count > 0 else { continue }
            let name = String(repeating: character, count: count)
            let target = directory.file(name)
            let staging = try StagingFile(target: target, job: "0123456789abcdef")
            try staging.create(replacing: false, cache: .unsafe) { _ in }
            try staging.publish(replacing: false, isDurable: false)
            #expect(directory.names.contains(name))
        }
    }

    @Test(
        "what names no file is refused",
        arguments: ["", "/", "dir/", "a/..", "\u{0}", "a\u{0}b"]
    )
    func badNames(target: String) {
        #expect(throws: DrayError.self) { try StagingFile(target: target, job: "a") }
    }

    @Test("a job's name cannot lead elsewhere", arguments: ["", "../x", "a/b", "a.b", "ä", "a\n"])
    func badJobs(job: String) {
        #expect(throws: DrayError.self) { try StagingFile(target: "disk", job: job) }
    }

    private func content(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: directory.file(name))))
    }
}
