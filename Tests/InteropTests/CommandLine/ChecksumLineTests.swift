// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// The lines of `dray checksum` have the form of sha256sum's.
@Suite struct ChecksumLineTests {
    @Test(arguments: [
        "plain", "two words", "back\\slash", "line\nend", "carriage\rreturn", "both\r\nof them",
        "ümlaut",
    ])
    func `names are written as sha256sum writes them`(name: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file(name)
        try Tool.check(["cp", "/etc/hostname", path])
        let theirs = try Tool.check(["sha256sum", path])
        let ours = try DrayBinary.run(["checksum", "-f", "raw", path]).output

        #expect(ours.hasPrefix("\\") == theirs.hasPrefix("\\"))
        let withoutDigest = { (text: String) in
            String(text.drop { $0 == "\\" }.dropFirst(64))
        }
        #expect(withoutDigest(ours) == withoutDigest(theirs))

    }
}
