// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import DiskImage
internal import TestSupport
internal import Testing

/// Images that others wrote, with the digest of their content beside them.
@Suite struct QCOW2SampleTests {
    @Test(arguments: ["ext2.qcow2", "windows_volume.qcow2"])
    func `a sample's content has the digest that its manifest tells`(name: String) throws {
        guard let compressed = SharedFiles.path("samples/\(name).xz"),
            let manifest = SharedFiles.path("samples/manifest.json")
        else {
            print("skipped: there is no shared/samples/\(name).xz beside the repository")
            return
        }
        let workshop = try QCOW2Workshop()
        try workshop.shell("xz -dc '\(compressed)' > image; cat '\(manifest)' > manifest")
        let text = String(decoding: try workshop.bytes("manifest"), as: UTF8.self)
        let entry = try #require(text.split(separator: "},").first { $0.contains("\"\(name)\"") })
        let digest = try #require(
            entry.split(separator: "\"raw_sha256\": \"").dropFirst().first?.prefix { $0 != "\"" }
        )
        let driver = try workshop.open("image")
        try workshop.write("content", QCOW2Workshop.content(of: driver))
        #expect(try workshop.shell("sha256sum content").hasPrefix(digest))
        let report = try #require(try driver.check())
        #expect(report.corruptions == 0)
        try QCOW2CheckTests.compare(workshop, "image", "\(name)")
    }
}
