// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import DiskImage
package import Storage

/// One request, complete: everything that a worker needs to plan, run and seal it. Travels in every task.
package struct JobSpec: Sendable, Hashable, Codable {
    /// What is asked for.
    package enum Kind: String, Sendable, Hashable, Codable {
        /// Copy guest content to a new image.
        case convert
        /// The blkhash of guest content.
        case checksum
        /// Whether two images have the same guest content.
        case compare
    }

    /// What is asked for.
    package var kind: Kind
    /// The images read: concatenated for convert, exactly one for checksum, exactly two for compare.
    package var sources: [SourceSpec]
    /// What is written, for convert.
    package var target: TargetSpec?
    /// The digest's name, for checksum (and for convert, to hash what is copied).
    package var digest: String?
    /// The range size in bytes, a multiple of 4 MiB; nil lets the planner choose.
    package var rangeSize: UInt64?
    /// Directories in stores, as a job names them, whose files the images may name besides those beside or below themselves. For fleets.
    package var references: [String]?

    /// Makes a request.
    package init(kind: Kind, sources: [SourceSpec]) {
        self.kind = kind
        self.sources = sources
    }
}

/// An image to read.
package struct SourceSpec: Sendable, Hashable, Codable {
    /// The path as the user gave it.
    package var path: String
    /// The format; nil probes.
    package var format: ImageFormat?
    /// The internal snapshot to read instead of the active state.
    package var snapshot: SnapshotChoice?
    /// The disk of an archive to read, by its member's name; nil where there is one.
    package var member: String?
    /// How the page cache is used.
    package var cache: CacheMode

    /// Names an image.
    package init(path: String, format: ImageFormat? = nil, cache: CacheMode = .writeback) {
        self.path = path
        self.format = format
        self.cache = cache
    }
}

/// The image to write.
package struct TargetSpec: Sendable, Hashable, Codable {
    /// What happens to a file that is there already.
    package enum Existing: String, Sendable, Hashable, Codable {
        /// It stays and the job fails.
        case refuse
        /// It is replaced when the new image is whole (`--force`).
        case replace
        /// It is written in place (`-n`, block devices).
        case overwrite
    }

    /// The path as the user gave it.
    package var path: String
    /// The format.
    package var format: ImageFormat
    /// The `-o` options, in order, as the user gave them.
    package var options: [FormatOption]
    /// What happens to a file that is there already.
    package var existing: Existing
    /// How the page cache is used.
    package var cache: CacheMode
    /// The run of zero bytes that is worth a hole (`-S`), in bytes; 0 writes everything.
    package var sparseSize: UInt64
    /// Whether a failed job's staging file stays.
    package var keepsPartial: Bool
    /// Whether each range's payload must be durable before its result counts (a journal may outlive the machine).
    package var isDurable: Bool
    /// How hard clusters are compressed (`-c`); nil compresses none.
    package var compression: CompressionEffort?

    /// Whether clusters are compressed, because that is asked for or because the format knows no others.
    package var isCompressed: Bool {
        compression != nil || TargetFormats.compressesAlways(format, options)
    }

    /// Names a target, with qemu-img's defaults.
    package init(path: String, format: ImageFormat) {
        self.path = path
        self.format = format
        options = []
        existing = .refuse
        cache = .unsafe
        sparseSize = 4096
        keepsPartial = false
        isDurable = false
    }
}
