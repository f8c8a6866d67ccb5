// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
package import Storage

/// A disk in an archive, and what the archive says about it.
package struct ArchivedDisk: Sendable {
    /// The member's name.
    package let name: String
    /// Its bytes.
    package let storage: StorageSlice
    /// Whether the archive says that it is compressed by gzip.
    package let isCompressed: Bool
    /// The archive's other disks.
    package let others: [String]
    /// What the manifest says of the disk and of the envelope; nil where there is no manifest.
    package let digests: [MemberDigest]?

    /// The disk's format. Fails with `unsupported` where its content is not what its name says, and may be a format that Dray does not know.
    func format() throws(DrayError) -> ImageFormat {
        if isCompressed { return .gzip }
        let format = try ImageOpener.probe(storage)
        guard format != .ova else {
            throw DrayError(.unsupported, "an archive inside an archive", file: storage.name)
        }
        let ending = OVAPackage.ending(name)
        guard format == .raw, ["vmdk", "qcow2", "vhd", "vhdx", "vdi"].contains(ending) else {
            return format
        }
        let text = "the member's name ends in .\(ending), but Dray does not know its content"
        throw DrayError(.unsupported, text, file: storage.name)
    }

    /// The error about a disk that names another file: what an archive holds may not.
    func namesOthers(at path: String) -> DrayError {
        let text = "the disk \(name) names another file, and what is inside an archive may not"
        return DrayError(.refused, text, file: path)
    }
}

/// The digest that a member of an archive must have.
package struct MemberDigest: Sendable {
    /// The member's bytes.
    package let storage: StorageSlice
    /// The digest's name, as libcrypto knows it.
    package let algorithm: String
    /// The digest, in lower-case hexadecimal.
    package let digest: String
}
