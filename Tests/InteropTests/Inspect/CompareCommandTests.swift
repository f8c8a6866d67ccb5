// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// `compare` says what qemu-img says, with the same exit code.
@Suite struct CompareCommandTests {
    /// Images of related content, each made by a line of shell.
    private static let script = """
        head -c 3000000 /dev/urandom > a.raw
        truncate -s 2097152 hole.raw
        qemu-img convert -f raw -O qcow2 a.raw a.qcow2
        qemu-img convert -f raw -O qcow2 -c a.raw compressed.qcow2
        cp a.raw late.raw; printf x | dd of=late.raw bs=1 seek=2999999 conv=notrunc status=none
        cp a.raw early.raw; printf xyz | dd of=early.raw bs=1 seek=70001 conv=notrunc status=none
        cp a.raw longer.raw; truncate -s 4M longer.raw
        cp longer.raw tail.raw; printf x | dd of=tail.raw bs=1 seek=4000000 conv=notrunc status=none
        qemu-img create -q -f qcow2 empty.qcow2 2M
        qemu-img create -q -f qcow2 -o preallocation=metadata pre.qcow2 2M
        qemu-img create -q -f qcow2 zero.qcow2 2M
        qemu-io -c 'write -z 0 2M' zero.qcow2 > /dev/null
        qemu-img create -q -f qcow2 -b a.qcow2 -F qcow2 overlay.qcow2
        qemu-img convert -f raw -O qcow2 -o cluster_size=4k a.raw small.qcow2
        qemu-img create -q -f qcow2 -b a.qcow2 -F qcow2 beyond.qcow2 4M
        cp beyond.qcow2 covered.qcow2; qemu-io -c 'write -z 3M 1M' covered.qcow2 > /dev/null
        qemu-img create -q -f qcow2 -o extended_l2=on -b a.qcow2 -F qcow2 parts.qcow2 4M
        qemu-io -c 'write -P 0 4000k 2k' parts.qcow2 > /dev/null
        """
    private static let names = [
        "a.raw", "hole.raw", "a.qcow2", "compressed.qcow2", "late.raw", "early.raw", "longer.raw",
        "tail.raw", "empty.qcow2", "pre.qcow2", "zero.qcow2", "overlay.qcow2", "small.qcow2",
        "beyond.qcow2", "covered.qcow2", "parts.qcow2", "missing",
    ]

    @Test(.timeLimit(.minutes(15)), arguments: [[], ["-s"], ["-q"], ["-f", "raw", "-F", "raw"]])
    func `every pair gets qemu-img's message and exit code`(options: [String]) throws {
        let directory = try TemporaryDirectory()
        try Tool.check(["bash", "-ec", "cd '\(directory.path)'\n" + Self.script])
        for first in Self.names {
            for second in Self.names {
                let words = ["compare"] + options + [directory.file(first), directory.file(second)]
                let theirs = try Tool.run(["qemu-img"] + words)
                let ours = try DrayBinary.run(words)
                #expect(ours.status == theirs.status, "\(first) \(second): \(ours.error)")
                #expect(ours.output == theirs.output, "\(first) \(second): \(ours.error)")
            }
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `unreadable maps and unreadable data have codes of their own`() throws {
        let recipe = ImageRecipe(
            "compressed garbage",
            """
            create -f qcow2 image 4M; io image 'write -c -P 1 0 64k'; create -f raw other 4M
            cp image data; python3 -c "f = open('data', 'r+b'); f.seek(327680); f.write(b'\\xff' * 64)"
            cp image map; python3 -c "f = open('map', 'r+b'); f.seek(196608); f.write(bytes.fromhex('8000000000040200'))"
            """
        )
        let directory = try recipe.make()
        for (name, code) in [("data", Int32(4)), ("map", 3)] {
            let words = ["compare", directory.file(name), directory.file("other")]
            #expect(try Tool.run(["qemu-img"] + words).status == code)
            let result = try DrayBinary.run(words)
            #expect(result.status == code, "\(name): \(result.error)")
        }
    }

    @Test func `a wrong command line has exit code 2`() throws {
        #expect(try DrayBinary.run(["compare", "one"]).status == 2)
        #expect(try DrayBinary.run(["compare", "--unknown", "a", "b"]).status == 2)
    }
}
