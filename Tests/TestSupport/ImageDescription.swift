// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The guest content of a disk, described: what to build an image from, and what to compare it with.
package struct ImageDescription: Sendable, CustomStringConvertible {
    /// What a stretch holds.
    package enum Content: Sendable, Hashable {
        /// Bytes that follow from the seed and their place; no eight of them are all zero.
        case data(seed: UInt64)
        /// Zeros that are written out.
        case zeros
    }

    /// A stretch of the disk.
    package struct Stretch: Sendable, Hashable {
        /// The first byte.
        package let start: UInt64
        /// Bytes, at least 1.
        package let length: UInt64
        /// What it holds.
        package let content: Content

        /// Describes a stretch.
        package init(start: UInt64, length: UInt64, content: Content) {
            self.start = start
            self.length = length
            self.content = content
        }
    }

    /// The size of the disk in bytes.
    package let size: UInt64
    /// What is stored, in order and without overlap. Between the stretches lie holes.
    package let stretches: [Stretch]

    /// Describes a disk.
    package init(size: UInt64, stretches: [Stretch]) {
        self.size = size
        self.stretches = stretches
    }

    /// A random disk of at most `largestSize` bytes, its size a multiple of `sizeUnit`; stretches begin and end anywhere,
    /// but more often at powers of two, where formats have their limits.
    package static func random(
        using generator: inout some RandomNumberGenerator,
        largestSize: UInt64 = 8 << 20,
        sizeUnit: UInt64 = 512
    ) -> ImageDescription {
        let unitCount = largestSize / sizeUnit
        let size = UInt64.random(in: 1...max(1, unitCount), using: &generator) * sizeUnit
        var stretches: [Stretch] = []
        var position: UInt64 = 0
        while position < size {
            let unit = UInt64(1) << UInt64.random(in: 0...17, using: &generator)
            let longest = Swift.min(size - position, max(unit, size / 8))
            var length = UInt64.random(in: 1...longest, using: &generator)
            length = Swift.min(size - position, max(unit, length / unit * unit))
            switch Int.random(in: 0..<8, using: &generator) {
            case 0..<4:
                let content = Content.data(seed: generator.next())
                stretches.append(Stretch(start: position, length: length, content: content))
            case 4:
                stretches.append(Stretch(start: position, length: length, content: .zeros))
            default:
                break
            }
            position += length
        }
        return ImageDescription(size: size, stretches: stretches)
    }

    /// The bytes of `range` of the disk.
    package func bytes(_ range: Range<UInt64>) -> [UInt8] {
        var all = [UInt8](repeating: 0, count: range.count)
        for stretch in stretches {
            guard case .data(let seed) = stretch.content else { continue }
            let from = max(range.lowerBound, stretch.start)
            let to = min(range.upperBound, stretch.start + stretch.length)
            guard from < to else { continue }
            let first = Int(from - range.lowerBound)
            all.replaceSubrange(first..<first + Int(to - from), with: Self.data(from..<to, seed))
        }
        return all
    }

    /// All bytes of the disk.
    package var bytes: [UInt8] { bytes(0..<size) }

    /// Writes the disk as a raw file, with holes where nothing is stored.
    package func writeRaw(to path: String) throws {
        let number = unsafe creat(path, 0o644)
        guard number >= 0 else { throw SupportError("cannot create \(path): \(errno)") }
        defer { close(number) }
        guard ftruncate(number, off_t(size)) == 0 else {
            throw SupportError("cannot size \(path): \(errno)")
        }
        for stretch in stretches {
            let content = bytes(stretch.start..<stretch.start + stretch.length)
            let count = unsafe pwrite(number, content, content.count, off_t(stretch.start))
            guard count == content.count else {
                throw SupportError("cannot write \(path): \(errno)")
            }
        }
    }

    package var description: String {
        "disk of \(size) bytes: "
            + stretches.map { "\($0.start)+\($0.length) \($0.content)" }.joined(separator: ", ")
    }

    /// The bytes of a stretch of data: words that follow from the seed and their place, first byte lowest.
    private static func data(_ range: Range<UInt64>, _ seed: UInt64) -> ArraySlice<UInt8> {
        let firstWord = range.lowerBound / 8
        let lastWord = (range.upperBound + 7) / 8
        var words: [UInt64] = []
        words.reserveCapacity(Int(lastWord - firstWord))
        var state = seed &+ firstWord &* 0x9E37_79B9_7F4A_7C15
        for _ in firstWord..<lastWord {
            words.append((SeededGenerator.mix(state) | 1).littleEndian)
            state &+= 0x9E37_79B9_7F4A_7C15
        }
        let bytes = unsafe words.withUnsafeBytes { unsafe [UInt8]($0) }
        let skipped = Int(range.lowerBound - firstWord * 8)
        return bytes[skipped..<skipped + range.count]
    }
}
