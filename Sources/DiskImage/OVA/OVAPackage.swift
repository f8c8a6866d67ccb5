// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Storage

/// An OVA: a tar archive with an OVF envelope, disks, and perhaps a manifest (DSP0243, 5.3). Any other tar archive with disks is taken
/// alike.
struct OVAPackage: Sendable {
    /// How large an envelope or a manifest may be, in bytes.
    static let largestText: UInt64 = 4 << 20
    /// What disks are called where no envelope says which files are.
    private static let endings = ["vmdk", "qcow2", "raw", "img", "vhd", "vhdx", "vdi"]

    private let storage: any Storage
    private let members: [String: TarMember]
    private let envelope: TarMember?
    private let compressions: [String: OVFEnvelope.File]
    private let manifest: OVAManifest?
    /// The names of the members that are disks, in the envelope's order.
    let disks: [String]

    /// Reads the directory of the archive in `storage`, its envelope and its manifest. Fails with `corrupt` or `unsupported`.
    init(_ storage: any Storage) throws(DrayError) {
        self.storage = storage
        let list = try TarReader.members(of: storage)
        var members: [String: TarMember] = [:]
        for member in list where members.updateValue(member, forKey: member.name) != nil {
            throw DrayError(
                .corrupt,
                "the archive has two members of the name \(member.name)",
                file: storage.name,
                offset: member.bytes.lowerBound
            )
        }
        self.members = members
        let text = { (ending: String) in list.first { Self.ending($0.name) == ending } }
        envelope = text("ovf")
        let described = try envelope.map { member throws(DrayError) in
            OVFEnvelope(try Self.text(member, storage)).disks
        }
        manifest = try text("mf").map { member throws(DrayError) in
            try OVAManifest(try Self.text(member, storage), name: "\(storage.name)/\(member.name)")
        }
        if let described, !described.isEmpty {
            disks = described.map { Self.plain($0.href) }
            compressions = Dictionary(
                described.map { (Self.plain($0.href), $0) },
                uniquingKeysWith: { first, _ in first }
            )
        } else {
            disks = list.map(\.name).filter { Self.endings.contains(Self.ending($0)) }
            compressions = [:]
        }
    }

    /// The disk of the member `wanted`, or the only one there is. Fails with `invalid` where there are several, or none of that name, naming
    /// those that there are, and with `corrupt` where the envelope names a disk that is not there.
    func disk(_ wanted: String?) throws(DrayError) -> ArchivedDisk {
        let name: String
        if let wanted {
            name = Self.plain(wanted)
        } else if disks.count == 1 {
            name = disks[0]
        } else {
            let text =
                "which disk of the archive is meant must be said (--member); there are: \(list(disks))"
            throw DrayError(disks.isEmpty ? .unsupported : .invalid, text, file: storage.name)
        }
        guard let member = members[name] else { throw missing(name) }
        let file = compressions[name]
        guard file?.isChunked != true else {
            let text = "the member \(name) is cut into chunks; join them first"
            throw DrayError(.unsupported, text, file: storage.name)
        }
        if let compression = file?.compression, compression != "gzip" {
            let text = "the member \(name) is compressed by \(compression); Dray reads gzip"
            throw DrayError(.unsupported, text, file: storage.name)
        }
        return ArchivedDisk(
            name: name,
            storage: try slice(member),
            isCompressed: file?.compression != nil,
            others: disks.filter { $0 != name },
            digests: try digests(of: member)
        )
    }

    /// The error about the member `name` that is not there: the archive is broken where its envelope says that it is.
    private func missing(_ name: String) -> DrayError {
        let present = list(disks.filter { members[$0] != nil })
        let isPromised = disks.contains(name)
        let text =
            isPromised
            ? "the archive's envelope names the disk \(name), but the archive has no such member; disks that are there: \(present)"
            : "the archive has no member \(name); its disks are: \(present)"
        return DrayError(isPromised ? .corrupt : .invalid, text, file: storage.name)
    }

    private func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.joined(separator: ", ")
    }

    /// What the manifest says of the disk and of the envelope that named it.
    private func digests(of disk: TarMember) throws(DrayError) -> [MemberDigest]? {
        guard let manifest else { return nil }
        var digests: [MemberDigest] = []
        for member in [envelope, disk].compactMap({ $0 }) {
            guard let entry = manifest.entries[member.name] else {
                let text = "the archive's manifest has no digest of \(member.name)"
                throw DrayError(.corrupt, text, file: storage.name)
            }
            digests.append(
                MemberDigest(
                    storage: try slice(member),
                    algorithm: entry.algorithm,
                    digest: entry.digest
                )
            )
        }
        return digests
    }

    private func slice(_ member: TarMember) throws(DrayError) -> StorageSlice {
        try StorageSlice(storage, member.bytes, name: "\(storage.name)/\(member.name)")
    }

    private static func text(_ member: TarMember, _ storage: any Storage) throws(DrayError)
        -> [UInt8]
    {
        let count = member.bytes.upperBound - member.bytes.lowerBound
        guard count > 0 else { return [] }
        guard count <= largestText else {
            throw DrayError(
                .unsupported,
                "the member \(member.name) has \(count) bytes; Dray takes at most \(largestText)",
                file: storage.name,
                offset: member.bytes.lowerBound
            )
        }
        let buffer = AlignedBuffer(count: Int(count))
        try storage.read(HostOffset(member.bytes.lowerBound), into: buffer, 0..<Int(count))
        return buffer.bytes(0..<Int(count))
    }

    /// What stands behind the last dot of a name, in lower case.
    static func ending(_ name: String) -> String {
        name.split(separator: ".").last.map { $0.lowercased() } ?? ""
    }

    private static func plain(_ name: String) -> String {
        var plain = name[...]
        while plain.hasPrefix("./") { plain = plain.dropFirst(2) }
        return String(plain)
    }
}
