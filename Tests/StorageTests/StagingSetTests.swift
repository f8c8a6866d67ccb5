// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import FoundationEssentials
import Glibc
import Storage
import TestSupport
import Testing

/// Targets of several files: none has a name before all are whole, and wherever the naming is cut off, it goes on from there.
@Suite struct StagingSetTests {
    private static let others = ["disk-1", "disk-2", "disk-3"]
    private static let all = ["disk"] + others
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func makeSet() throws -> StagingSet {
        try StagingSet(target: directory.file("disk"), job: "job-1", others: Self.others)
    }

    private func create(
        _ set: StagingSet,
        replacing: Bool = false,
        from first: UInt8 = 1
    ) throws {
        try set.create(replacing: replacing, cache: .unsafe) { storage, index throws(DrayError) in
            let buffer = AlignedBuffer(count: 1)
            buffer.copy([UInt8(index) + first], to: 0)
            try storage.write(HostOffset(0), from: buffer, 0..<1)
        }
    }

    private func discard(_ set: StagingSet, keepsFiles: Bool = false) throws {
        try StagingSet.discard(set.main, keepsFiles: keepsFiles) { "disk-\($0)" }
    }

    private func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(filePath: directory.file(name)))
    }

    private func content(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: directory.file(name))))
    }

    private func expectWhole() throws {
        #expect(directory.names == Self.all)
        for (index, name) in Self.all.enumerated() {
            #expect(try content(name) == [UInt8(index) + 1], "\(name)")
        }
    }

    /// Brings about what a publishing leaves that ends after `steps` of its steps: each other file's link, the named file's name, each
    /// link's removal.
    private func publish(_ set: StagingSet, steps: Int) {
        let count = Self.others.count
        for step in 0..<steps {
            if step < count {
                let place = directory.file(Self.others[step])
                #expect(unsafe link(set.file(step + 1).path, place) == 0)
            } else if step == count {
                #expect(unsafe rename(set.main.path, directory.file("disk")) == 0)
            } else {
                #expect(unsafe unlink(set.file(2 * count + 1 - step).path) == 0)
            }
        }
    }

    @Test(arguments: [true, false])
    func `files have their names all together`(isDurable: Bool) throws {
        let set = try makeSet()
        try create(set)
        #expect(set.exists && !directory.names.contains { Self.all.contains($0) })
        try create(set)
        try set.publish(replacing: false, isDurable: isDurable)
        try expectWhole()
    }

    @Test(arguments: 0...7)
    func `a naming that was cut off goes on from there`(steps: Int) throws {
        let set = try makeSet()
        try create(set)
        publish(set, steps: steps)
        if set.exists {
            try set.publish(replacing: false, isDurable: false)
        } else {
            try set.removeLinks()
        }
        try expectWhole()
    }

    @Test(arguments: 0...7)
    func `a discard takes what has its name already, unless the whole has`(steps: Int) throws {
        let set = try makeSet()
        try create(set)
        publish(set, steps: steps)
        try discard(set)
        if steps <= Self.others.count {
            #expect(directory.names.isEmpty)
        } else {
            try expectWhole()
        }
        try discard(set)
    }

    @Test(arguments: 0...3)
    func `a discard that was cut off goes on from there`(removed: Int) throws {
        let set = try makeSet()
        try create(set)
        publish(set, steps: 2)
        #expect(unsafe rename(set.main.path, directory.file(".disk.job-1+gone")) == 0)
        for index in 1...3 where index <= removed {
            if index <= 2 { #expect(unsafe unlink(directory.file(Self.others[index - 1])) == 0) }
            #expect(unsafe unlink(set.file(index).path) == 0)
        }
        try discard(set)
        #expect(directory.names.isEmpty)
    }

    @Test func `files of others are not touched`() throws {
        let set = try makeSet()
        try create(set)
        try write([9], "disk-2")
        let strange = [".disk.job-1-x.partial", ".disk.job-1.x", ".disk.job-12+1.partial"]
        for name in strange { try write([8], name) }
        let error = #expect(throws: DrayError.self) {
            try set.publish(replacing: false, isDurable: false)
        }
        #expect(error?.kind == .refused && error?.file == directory.file("disk-2"))
        #expect(try content("disk-2") == [9] && !directory.names.contains("disk"))
        try discard(set)
        #expect(directory.names == (strange + ["disk-2"]).sorted())
        #expect(try content("disk-2") == [9])
    }

    @Test(.timeLimit(.minutes(2)))
    func `of two jobs that replace a target at once the last has all its files`() async throws {
        for round in 0..<500 {
            let sets = try ["a", "b"].map {
                try StagingSet(target: directory.file("disk"), job: $0, others: Self.others)
            }
            for (set, letter) in zip(sets, [UInt8(1), 101]) {
                try create(set, replacing: true, from: letter)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for set in sets {
                    group.addTask { try set.publish(replacing: true, isDurable: false) }
                }
                try await group.waitForAll()
            }
            let found = try Self.all.map { try content($0) }
            let offset = found[0][0]
            #expect(found == (0..<4).map { [offset + $0] }, "round \(round)")
            #expect(directory.names == Self.all)
        }
    }

    @Test func `a file of another job under a name of ours is seen`() throws {
        let set = try makeSet()
        try create(set)
        publish(set, steps: 3)
        try set.checkOthers()
        #expect(unsafe unlink(directory.file("disk-2")) == 0)
        try write([9], "disk-2")
        let error = #expect(throws: DrayError.self) { try set.checkOthers() }
        #expect(error?.kind == .refused && error?.file == directory.file("disk-2"))
    }

    @Test(arguments: Self.all)
    func `what exists is refused before anything is made`(name: String) throws {
        try write([9], name)
        #expect(throws: DrayError.self) { try create(try makeSet()) }
        #expect(directory.names == [name])
    }

    /// Brings about what a replacing leaves that ends after `steps` of its steps: each old file moved aside, the named one first, then
    /// as ``publish(_:steps:)``.
    private func replace(_ set: StagingSet, steps: Int) {
        for step in 0..<min(steps, Self.all.count) {
            let aside = directory.file(".disk.job-1+old.\(step)")
            #expect(unsafe rename(directory.file(Self.all[step]), aside) == 0)
        }
        publish(set, steps: max(0, steps - Self.all.count))
    }

    @Test(arguments: 0...11)
    func `with replacing the old files go, and never stand among the new ones`(steps: Int) throws {
        for name in Self.all { try write([9], name) }
        let set = try makeSet()
        try create(set, replacing: true)
        replace(set, steps: steps)
        if set.exists {
            try set.publish(replacing: true, isDurable: false)
        } else {
            try set.removeLinks()
        }
        try expectWhole()
    }

    @Test(arguments: 0...11)
    func `a discard brings the old files back, unless the new ones have all their names`(
        steps: Int
    ) throws {
        for name in Self.all { try write([9], name) }
        let set = try makeSet()
        try create(set, replacing: true)
        replace(set, steps: steps)
        let isWhole = !set.exists
        try discard(set)
        guard !isWhole else { return try expectWhole() }
        #expect(directory.names == Self.all)
        for name in Self.all { #expect(try content(name) == [9], "\(name)") }
    }

    @Test func `an old file that cannot be replaced costs nothing`() throws {
        for name in Self.all where name != "disk-2" { try write([9], name) }
        let set = try makeSet()
        try create(set, replacing: true)
        #expect(unsafe mkdir(directory.file("disk-2"), 0o755) == 0)
        #expect(throws: DrayError.self) { try set.publish(replacing: true, isDurable: false) }
        try discard(set)
        #expect(directory.names == Self.all)
        for name in Self.all where name != "disk-2" { #expect(try content(name) == [9], "\(name)") }
    }

    @Test func `a symbolic link cannot stand for several files`() throws {
        try write([9], "real")
        #expect(unsafe symlink("real", directory.file("disk")) == 0)
        let error = #expect(throws: DrayError.self) { try makeSet() }
        #expect(error?.kind == .unsupported)
    }

    @Test func `kept files stay, their names do not`() throws {
        let set = try makeSet()
        try create(set)
        publish(set, steps: 2)
        try discard(set, keepsFiles: true)
        #expect(
            directory.names.count == 4 && directory.names.allSatisfy { $0.hasSuffix("partial") }
        )
        try discard(set)
        #expect(directory.names.isEmpty)
    }

    @Test func `many files are one storage`() throws {
        let names = (1...100).map { "part-\($0)" }
        let set = try StagingSet(target: directory.file("disk"), job: "a", others: names)
        try set.create(replacing: false, cache: .unsafe) { _, _ in }
        let split = try SplitStorage(stride: 1 << 20) { index throws(DrayError) in
            try set.file(index).open(cache: .unsafe)
        }
        let buffer = AlignedBuffer(count: 4)
        for index in 1...100 {
            buffer.copy([1, 2, 3, UInt8(index)], to: 0)
            // Two bytes in each file, two in the next.
            try split.write(HostOffset(UInt64(index + 1) << 20), from: buffer, 2..<4)
            try split.write(HostOffset((UInt64(index) << 20) - 2), from: buffer, 0..<2)
            if index == 99 { break }
        }
        try split.read(HostOffset(UInt64(50) << 20), into: buffer, 0..<2)
        #expect(buffer.bytes(0..<2) == [3, 49])
        #expect(set.file(50).length == 1 << 20 && set.file(100).length == 2)
        try split.zero(HostOffset((UInt64(51) << 20) - 1), length: 2, mayPunch: false)
        try split.read(HostOffset(UInt64(51) << 20), into: buffer, 0..<2)
        #expect(buffer.bytes(0..<2) == [0, 50])
        #expect(throws: DrayError.self) { try split.resize(5) }
        #expect(throws: DrayError.self) {
            try split.read(HostOffset(100 << 20), into: buffer, 0..<3)
        }
    }

    @Test func `a discard that cannot rename removes all the same`() throws {
        let set = try makeSet()
        try create(set)
        publish(set, steps: 2)
        // Nothing can be renamed to the name of a directory.
        try FileManager.default.createDirectory(
            atPath: directory.file(".disk.job-1+gone"),
            withIntermediateDirectories: false
        )
        #expect(throws: DrayError.self) { try discard(set) }
        #expect(directory.names == [".disk.job-1+gone"])
    }
}
