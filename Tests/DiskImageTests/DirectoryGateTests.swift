// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import TestSupport
internal import Testing

/// What an image may name, and what it may not, whatever its name looks like.
@Suite struct DirectoryGateTests {
    /// A tree with a `vault` beside the image's directory `home`, and links and look-alikes.
    private let tree: TemporaryDirectory

    init() throws {
        tree = try TemporaryDirectory()
        let script = """
            cd "$0" && mkdir -p home/sub vault homework $'caf\\u00e9' $'cafe\\u0301' && echo secret > vault/secret
            for file in home/image home/disk home/sub/disk home/sub/image homework/disk home/$'\\u0301image' \
                $'caf\\u00e9/image' $'cafe\\u0301/disk'; do echo x > "$file"; done
            cp vault/secret secret
            ln -s ../vault/secret home/link; ln -s ../vault home/way; ln -s home/image entry; ln -s sub/disk home/inner
            ln -s ../vault/secret vault/self; mkfifo home/pipe
            """
        try Tool.check(["bash", "-c", script, tree.path])
    }

    private func resolve(
        _ name: String,
        by image: String = "home/image",
        allowing: [String] = []
    ) throws -> String {
        let gate = DirectoryGate(alsoAllowing: allowing.map(tree.file))
        return try gate.resolve(name, referrer: tree.file(image))
    }

    @Test(arguments: ["disk", "./disk", "sub/disk", "sub/../disk", "inner", "../home/disk"])
    func `files beside the image and below are allowed`(name: String) throws {
        #expect(try resolve(name) == tree.file("home/" + name))
    }

    @Test(arguments: [
        ("../vault/secret", "home/image"), ("link", "home/image"), ("way/secret", "home/image"),
        ("../homework/disk", "home/image"), ("..", "home/image"), (".", "home/image"),
        ("pipe", "home/image"), ("/dev/null", "home/image"), ("/proc/self/exe", "home/image"),
        // The directory of a name that begins with a combining mark is not one further up.
        ("../secret", "home/\u{301}image"),
        // Two names that Swift's strings call equal are two directories.
        ("../cafe\u{301}/disk", "caf\u{e9}/image"),
        // The image that a link leads to is at home where it lies.
        ("secret", "entry"),
    ])
    func `what lies elsewhere or is no regular file is refused`(name: String, image: String) throws
    {
        let error = #expect(throws: DrayError.self) { try resolve(name, by: image) }
        #expect(error?.kind == .refused, "\(error?.description ?? "")")
        // Allowing the image's own directory would not help.
        let isHint = error?.message.contains("--allow-references") == true
        #expect(isHint == (name != "pipe"), "\(error?.description ?? "")")
    }

    @Test(arguments: [
        "", "nbd:host:10809", "json:{}", "file:/etc/passwd", "http://host/", ":", "a:\u{301}b",
        "disk\u{0}x",
    ])
    func `names of protocols are refused`(name: String) throws {
        let error = #expect(throws: DrayError.self) { try resolve(name) }
        #expect(error?.kind == .refused)
    }

    @Test(arguments: ["vault", "vault/", "home/way", "home/../vault", ""])
    func `an allowed directory opens what lies below it`(directory: String) throws {
        let name = "../vault/secret"
        #expect(try resolve(name, allowing: [directory]) == tree.file("home/" + name))
        #expect(try resolve("link", allowing: [directory]) == tree.file("home/link"))
        #expect(throws: DrayError.self) { try resolve("/etc/passwd", allowing: [directory]) }
    }

    @Test(.enabled(if: LoopDevice.isAvailable))
    func `an image on a block device has no directory of its own`() throws {
        let device = try LoopDevice(size: 1 << 20, fill: 0)
        let other = try LoopDevice(size: 1 << 20, fill: 0)
        let error = #expect(throws: DrayError.self) {
            try DirectoryGate().resolve(other.path, referrer: device.path)
        }
        #expect(error?.kind == .refused)
    }
}
