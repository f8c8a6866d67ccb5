// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import DiskImage

extension HostileCase {
    /// A descriptor with these lines.
    private static func descriptor(_ lines: String, type: String = "custom") -> [UInt8] {
        Array("# Disk DescriptorFile\nversion=1\nCID=1\ncreateType=\"\(type)\"\n\(lines)\n".utf8)
    }

    /// A sparse extent whose embedded descriptor has these lines.
    private static func sparse(_ header: VMDKSparseHeader, _ lines: String) -> [UInt8] {
        var header = header
        header.descriptorOffset = 1
        header.descriptorSize = 20
        var bytes = header.serialized() + descriptor(lines, type: "monolithicSparse")
        bytes += [UInt8](repeating: 0, count: max(0, 65_536 - bytes.count))
        return bytes
    }

    /// The disks that name something outside themselves, as an extent or as a parent.
    static let vmdkReferences: [HostileCase] =
        names.flatMap { name in
            [
                "FLAT \"\(name)\" 0", "VMFS \"\(name)\"", "SPARSE \"\(name)\"",
                "VMFSSPARSE \"\(name)\"",
            ]
            .map { line in
                HostileCase("vmdk \(line.prefix(30).debugDescription)") {
                    descriptor("RW 1 \(line)")
                }
            } + [
                HostileCase("vmdk parent \(name.prefix(30).debugDescription)") {
                    descriptor("parentCID=1\nparentFileNameHint=\"\(name)\"\nRW 1 ZERO")
                }
            ]
        } + [
            HostileCase("vmdk, capacity 0, the descriptor takes over") {
                sparse(VMDKSparseHeader(capacity: 0), "RW 1 FLAT \"/etc/passwd\" 0")
            },
            HostileCase("vmdk, capacity 0, the descriptor names the extent") {
                sparse(VMDKSparseHeader(capacity: 0), "RW 1 SPARSE \"image\"")
            },
            HostileCase("vmdk, a device") {
                descriptor("RW 1 FLAT \"/dev/sda\" 0", type: "fullDevice")
            },
        ]

    /// The disks that claim much and hold little.
    static let vmdkBombs: [HostileCase] = [
        HostileCase("vmdk, 10 000 extents") {
            descriptor((0..<10_000).map { "RW 1 FLAT \"image-\($0)\" 0" }.joined(separator: "\n"))
        },
        HostileCase("vmdk, a descriptor of 20 MiB") {
            descriptor(String(repeating: "#\n", count: 10 << 20))
        },
        HostileCase("vmdk, one line of 900 KiB") {
            descriptor("#" + String(repeating: "x", count: 900 << 10))
        },
        HostileCase("vmdk, a disk of 2^63 bytes") {
            var header = VMDKSparseHeader(capacity: 1 << 54)
            header.directory = 21
            return sparse(header, "RW \(UInt64(1) << 54) SPARSE \"image\"")
        },
        HostileCase("vmdk, a directory of a gigabyte") {
            var header = VMDKSparseHeader(capacity: 1 << 44)
            header.directory = 21
            return sparse(header, "RW \(UInt64(1) << 44) SPARSE \"image\"")
        },
        HostileCase("vmdk, 2^63 bytes of zeros") {
            descriptor("RW \(VMDK.mostSectors) ZERO")
        },
    ]
}
