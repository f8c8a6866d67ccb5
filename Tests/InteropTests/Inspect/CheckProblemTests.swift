// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// `dray check` where qemu-img does not come to checking.
@Suite struct CheckProblemTests {
    @Test func `a chain that cannot be opened ends with qemu-img's exit code`() throws {
        let directory = try TemporaryDirectory()
        let (base, top) = (directory.file("base.raw"), directory.file("top.qcow2"))
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", base, "1M"])
        try Tool.check(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", top])
        #expect(try DrayBinary.run(["check", top]).status == 0)
        try Tool.check(["rm", base])
        let result = try DrayBinary.run(["check", top])
        #expect(result.status == 1 && result.error.contains("base.raw"), "\(result.error)")
        #expect(try Tool.run(["qemu-img", "check", top]).status == 1)
    }

    @Test func `an encrypted image ends with qemu-img's exit code`() throws {
        let directory = try TemporaryDirectory()
        let image = directory.file("secret.qcow2")
        try Tool.check([
            "qemu-img", "create", "-q", "-f", "qcow2", "--object", "secret,id=s,data=abc",
            "-o", "encrypt.format=aes,encrypt.key-secret=s", image, "1M",
        ])
        let result = try DrayBinary.run(["check", image])
        #expect(result.status == 1 && result.error.contains("encrypted"), "\(result.error)")
        #expect(try Tool.run(["qemu-img", "check", image]).status == 1)
    }

    @Test func `a backing image that is not allowed is not looked at`() throws {
        let (directory, elsewhere) = (try TemporaryDirectory(), try TemporaryDirectory())
        let (base, top) = (elsewhere.file("base.raw"), directory.file("top.qcow2"))
        try Tool.check(["qemu-img", "create", "-q", "-f", "raw", base, "1M"])
        try Tool.check(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", top])
        #expect(try DrayBinary.run(["check", top]).status == 0)
    }
}
