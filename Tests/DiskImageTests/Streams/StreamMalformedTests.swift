// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import TestSupport
internal import Testing

/// Streams that are not whole or not right: an error that says what and where, never wrong content.
@Suite(.timeLimit(.minutes(15))) struct StreamMalformedTests {
    private static let disk = ImageDescription(
        size: 3_000_001,
        stretches: [
            .init(start: 0, length: 900_000, content: .data(seed: 1)),
            .init(start: 2_000_000, length: 1_000_001, content: .data(seed: 2)),
        ]
    )

    private func stream(_ recipe: StreamFile.Recipe) throws -> [UInt8] {
        let storage = try StreamFile(Self.disk, recipe).storage()
        let buffer = AlignedBuffer(count: Int(storage.length))
        try storage.read(HostOffset(0), into: buffer, 0..<buffer.count)
        return buffer.bytes(0..<buffer.count)
    }

    /// The error of opening `bytes`, nil where they open, in which case they must give the disk.
    private func problem(_ bytes: [UInt8], _ kind: StreamKind) throws -> DrayError? {
        do throws(DrayError) {
            let driver = try StreamDriver(
                storage: MemoryStorage(name: "stream", bytes: bytes),
                kind,
                room: StreamRoom(limit: 0),
                pulse: .unheeded
            )
            #expect(driver.guestSize == Self.disk.size)
            let run = try driver.map(GuestOffset(0), limit: 4096)
            guard case .data(let storage, let host) = run.place else {
                Issue.record("the disk begins with data")
                return nil
            }
            let buffer = AlignedBuffer(count: 4096)
            try storage.read(host, into: buffer, 0..<4096)
            #expect(buffer.bytes(0..<4096) == Self.disk.bytes(0..<4096))
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: StreamFile.recipes)
    func `a stream that is cut off says so`(recipe: StreamFile.Recipe) throws {
        var generator = SeededGenerator(for: "cut \(recipe)")
        var bytes = try stream(recipe)
        // Padding may be cut; and between two units a stream looks whole.
        while bytes.last == 0 { bytes.removeLast() }
        for _ in 0..<20 {
            let count = Int.random(in: 1..<bytes.count, using: &generator)
            let cut = Array(bytes.prefix(count))
            let error = try #require(try problem(cut, recipe.kind), "\(generator.seed) \(count)")
            #expect(error.kind == .corrupt, "DRAY_SEED=\(generator.seed) \(count): \(error)")
            #expect(error.offset.map { $0 <= UInt64(count) } == true, "\(error)")
        }
    }

    @Test(arguments: StreamFile.recipes.filter { !$0.description.contains("none") })
    func `a flipped bit is found or makes no difference`(recipe: StreamFile.Recipe) throws {
        var generator = SeededGenerator(for: "flip \(recipe)")
        let bytes = try stream(recipe)
        var found = 0
        for _ in 0..<40 {
            var bad = bytes
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            bad[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            guard let error = try problem(bad, recipe.kind) else { continue }
            found += 1
            #expect(error.offset != nil, "DRAY_SEED=\(generator.seed) \(place): \(error)")
        }
        #expect(found > 20, "DRAY_SEED=\(generator.seed): only \(found)")
    }

    @Test(
        arguments: StreamFile.recipes,
        ["g", "garb", "garbage", "garbage!", "more garbage, and more"]
    )
    func `what follows the stream is not passed over, and called so`(
        recipe: StreamFile.Recipe,
        garbage: String
    ) throws {
        let bytes = try stream(recipe)
        let error = try #require(try problem(bytes + Array(garbage.utf8), recipe.kind))
        #expect(error.kind == .corrupt && error.offset == UInt64(bytes.count), "\(error)")
        #expect("\(error)".contains("what follows the last"), "\(error)")
    }

    /// A stream, by hex digits, and words of its error.
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: StreamKind
        let hex: String
        let error: DrayError.Kind
        let words: [String]
    }

    static let cases = [
        Case(
            testDescription: "nothing",
            kind: .gzip,
            hex: "",
            error: .corrupt,
            words: ["cut off"]
        ),
        Case(
            testDescription: "a gzip header with flags of the future",
            kind: .gzip,
            hex: "1f8b08800000000000ff0300000000000000000000",
            error: .unsupported,
            words: ["flags 128"]
        ),
        Case(
            testDescription: "gzip with another method",
            kind: .gzip,
            hex: "1f8b07000000000000ff0300000000000000000000",
            error: .unsupported,
            words: ["method 7"]
        ),
        Case(
            testDescription: "a wrong CRC-32",
            kind: .gzip,
            hex: "1f8b08000000000000ff03000100000000000000",
            error: .corrupt,
            words: ["CRC-32", "is 0", "says 1"]
        ),
        Case(
            testDescription: "a wrong length",
            kind: .gzip,
            hex: "1f8b08000000000000ff03000000000007000000",
            error: .corrupt,
            words: ["0 bytes", "says 7"]
        ),
        Case(
            testDescription: "a window of 2 GiB",
            kind: .zstd,
            hex: "28b52ffd00a8010000",
            error: .unsupported,
            words: ["2147483648", "134217728"]
        ),
        Case(
            testDescription: "a dictionary",
            kind: .zstd,
            hex: "28b52ffd015007010000",
            error: .unsupported,
            words: ["dictionary"]
        ),
        Case(
            testDescription: "a skippable frame beyond the end",
            kind: .zstd,
            hex: "502a4d18ffffffff00",
            error: .corrupt,
            words: ["4294967295"]
        ),
        Case(
            testDescription: "no xz stream",
            kind: .xz,
            hex: "000000000000000000000000",
            error: .corrupt,
            words: ["no xz stream"]
        ),
    ]

    @Test(arguments: cases)
    func `what is wrong is named`(wrong: Case) throws {
        var bytes: [UInt8] = []
        var digits = wrong.hex[...]
        while !digits.isEmpty {
            bytes.append(try #require(UInt8(digits.prefix(2), radix: 16)))
            digits = digits.dropFirst(2)
        }
        let error = try #require(try problem(bytes, wrong.kind))
        #expect(error.kind == wrong.error, "\(error)")
        for word in wrong.words { #expect("\(error)".contains(word), "\(error)") }
    }

    @Test func `xz that needs more memory than Dray gives is refused with both numbers`() throws {
        let recipe = StreamFile.Recipe(
            description: "a large dictionary",
            kind: .xz,
            script: "head -c 100 $1 | xz --format=xz --lzma2=preset=0,dict=512MiB > $2"
        )
        let error = try #require(try problem(try stream(recipe), .xz))
        #expect(error.kind == .unsupported, "\(error)")
        #expect("\(error)".contains("\(136 << 20)"), "\(error)")
    }

    @Test(arguments: [StreamKind.gzip, .xz, .zstd])
    func `another format inside is refused`(kind: StreamKind) throws {
        let tool = ["gzip -c", "xz -c", "zstd -q -c"][StreamKind.allCases.firstIndex(of: kind) ?? 0]
        let recipe = StreamFile.Recipe(
            description: "an image inside",
            kind: kind,
            script: "qemu-img create -q -f qcow2 $1.q 1M; \(tool) $1.q > $2"
        )
        let error = try #require(try problem(try stream(recipe), kind))
        #expect(error.kind == .unsupported && "\(error)".contains("qcow2"), "\(error)")
    }

    @Test func `a bomb takes no memory and ends`() throws {
        // 3 GiB of zeros in 3 MiB of gzip: 48 members that each say the same.
        let recipe = StreamFile.Recipe(
            description: "zeros",
            kind: .gzip,
            script: """
                head -c 64M /dev/zero | gzip -1 > $2.one
                for i in $(seq 48); do cat $2.one; done > $2
                """
        )
        let file = try StreamFile(Self.disk, recipe)
        let driver = try StreamDriver(
            storage: file.storage(),
            .gzip,
            room: StreamRoom(limit: 0),
            pulse: .unheeded
        )
        #expect(driver.guestSize == 3 << 30)
        let run = try driver.map(GuestOffset(0), limit: UInt64.max)
        #expect(run.length == 3 << 30)
    }
}
