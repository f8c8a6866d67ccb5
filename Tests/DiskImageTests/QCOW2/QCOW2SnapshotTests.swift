// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import TestSupport
internal import Testing

/// Internal snapshots, backing references and what images tell about themselves.
@Suite struct QCOW2SnapshotTests {
    @Test(arguments: ["compat=0.10", "compat=1.1", "cluster_size=512", "extended_l2=on"])
    func `a snapshot reads as the disk did when it was taken`(options: String) throws {
        let workshop = try QCOW2Workshop()
        try workshop.shell("qemu-img create -q -f qcow2 -o \(options) image 3000k")
        for round in 1...3 {
            try workshop.shell(
                """
                qemu-io -c 'write -P \(round) \(round * 100)k 300k' -c 'discard 150k 64k' image
                qemu-img convert -O raw image state\(round)
                qemu-img snapshot -c name\(round) image
                """
            )
        }
        for round in 1...3 {
            let state = try workshop.bytes("state\(round)")
            let names: [SnapshotChoice] = [
                .idOrName("\(round)"), .idOrName("name\(round)"), .id("\(round)"),
                .name("name\(round)"), .both(id: "\(round)", name: "name\(round)"),
            ]
            for name in names {
                let driver = try workshop.open("image", snapshot: name)
                #expect(try QCOW2Workshop.content(of: driver) == state, "\(name)")
            }
        }
    }

    @Test func `a snapshot's id is looked for before its name`() throws {
        let workshop = try QCOW2Workshop()
        try workshop.shell(
            """
            qemu-img create -q -f qcow2 image 1M
            qemu-io -c 'write -P 1 0 1M' image; qemu-img snapshot -c 2 image
            qemu-io -c 'write -P 2 0 1M' image; qemu-img snapshot -c other image
            """
        )
        let driver = try workshop.open("image", snapshot: .idOrName("2"))
        #expect(driver.snapshots.map(\.name) == ["2", "other"])
        #expect(try QCOW2Workshop.content(of: driver).first == 2)
        let exact: [(SnapshotChoice, UInt8)] = [
            (.name("2"), 1), (.id("2"), 2), (.both(id: "1", name: "2"), 1),
        ]
        for (choice, byte) in exact {
            let driver = try workshop.open("image", snapshot: choice)
            #expect(try QCOW2Workshop.content(of: driver).first == byte, "\(choice)")
        }
        for choice in [SnapshotChoice.name("1"), .id("other"), .both(id: "2", name: "2")] {
            let error = #expect(throws: DrayError.self) {
                try workshop.open("image", snapshot: choice)
            }
            #expect(error?.kind == .invalid, "\(choice)")
        }
    }

    @Test func `a snapshot has the size that the disk had`() throws {
        let workshop = try QCOW2Workshop()
        try workshop.shell(
            """
            qemu-img create -q -f qcow2 image 1M; qemu-img snapshot -c small image
            qemu-img resize -q image 5M
            """
        )
        #expect(try workshop.open("image", snapshot: .idOrName("small")).guestSize == 1 << 20)
        #expect(try workshop.open("image").guestSize == 5 << 20)
    }

    @Test func `backing name and format are told, and what is not allocated is left to them`()
        throws
    {
        let workshop = try QCOW2Workshop()
        try workshop.shell(
            """
            qemu-img create -q -f raw base 700000; qemu-io -f raw -c 'write -P 9 0 700000' base
            qemu-img create -q -f qcow2 -b base -F raw top 3M
            qemu-io -c 'write -P 1 100k 10k' -c 'write -z 300k 64k' top; qemu-img convert -O raw top flat
            """
        )
        let driver = try workshop.open("top")
        #expect(driver.backing == BackingReference(name: "base", format: "raw"))
        let content = try QCOW2Workshop.content(of: driver, below: workshop.bytes("base"))
        #expect(content == (try workshop.bytes("flat")))
    }

    @Test(arguments: [
        "", "-o compat=0.10", "-o lazy_refcounts=on,refcount_bits=1", "-o extended_l2=on",
        "-o compression_type=zstd,cluster_size=2M", "-o data_file=data,data_file_raw=on",
    ])
    func `information equals what qemu-img prints`(options: String) throws {
        let workshop = try QCOW2Workshop()
        try workshop.shell("qemu-img create -q -f qcow2 \(options) image 1M")
        if options == "" {
            try workshop.shell(
                "qemu-img snapshot -c 'a \"b\"' image; qemu-img bitmap --add -g 4096 image bm"
            )
        }
        let text = try workshop.shell("qemu-img info -f qcow2 --output json image")
        let expected = text.filter { $0 != " " && $0 != "\n" }
        let information = try workshop.open("image").information()
        let data = json(.object(information.fields)).filter { $0 != " " }
        #expect(expected.contains("\"format-specific\":{\"type\":\"qcow2\",\"data\":\(data)}"))
        #expect(expected.contains("\"cluster-size\":\(information.clusterSize ?? 0)"))
        #expect(expected.contains("\"dirty-flag\":\(information.isDirty)"))
        for snapshot in information.snapshots {
            #expect(expected.contains(json(.object(snapshot)).filter { $0 != " " }))
        }
        #expect(information.snapshots.count == (options == "" ? 1 : 0))
    }

    @Test func `an encrypted image describes itself, and its content is refused`() throws {
        let workshop = try QCOW2Workshop()
        try workshop.shell(
            "qemu-img create -q --object secret,id=s,data=abc -f qcow2 "
                + "-o encrypt.format=aes,encrypt.key-secret=s image 1M"
        )
        let driver = try workshop.open("image")
        #expect(try driver.information().isEncrypted)
        let error = #expect(throws: DrayError.self) { try driver.map(GuestOffset(0), limit: 1) }
        #expect(error?.kind == .unsupported)
        #expect(error?.message.contains("encrypted") == true)
    }

    private func json(_ value: FormatInformation.Value) -> String {
        switch value {
        case .text(let text): "\"" + text.replacing("\"", with: "\\\"") + "\""
        case .number(let number): "\(number)"
        case .flag(let flag): "\(flag)"
        case .list(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .object(let fields):
            "{" + fields.map { "\"\($0.key)\":\(json($0.value))" }.joined(separator: ",") + "}"
        }
    }
}
