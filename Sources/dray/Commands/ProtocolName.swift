// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CommandTable

/// Names that qemu-img takes for something else than a file.
///
/// To create a file of such a name would be a success that sent the disk nowhere. Reading one needs no such care: what is no file is not found.
enum ProtocolName {
    /// The words that qemu-img knows before a colon.
    private static let words: Set<Substring> = [
        "fat", "file", "ftp", "ftps", "gluster", "gluster+rdma", "gluster+tcp", "gluster+unix",
        "host_cdrom", "host_device", "http", "https", "iscsi", "iser", "json", "nbd", "nbd+tcp",
        "nbd+unix", "nfs", "rbd", "sheepdog", "ssh",
    ]

    /// Fails with a usage error where the target `name` begins with one of them. A slash before the colon makes it a path.
    static func refuse(asTarget name: String) throws(UsageError) {
        guard let colon = name.firstIndex(of: ":"), words.contains(name[..<colon]) else { return }
        throw UsageError(
            "the target '\(name)' begins with a protocol, and Dray writes files only; write ./ before a file's name"
        )
    }
}
