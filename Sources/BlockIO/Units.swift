// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A byte's place on the virtual disk, as the VM would count.
package struct GuestOffset: Hashable, Comparable, Sendable {
    /// Bytes from the start of the virtual disk.
    package let bytes: UInt64

    /// Names the place `bytes` bytes from the start.
    package init(_ bytes: UInt64) { self.bytes = bytes }

    package static func < (a: Self, b: Self) -> Bool { a.bytes < b.bytes }

    /// The place `distance` bytes on. Traps on overflow: guest offsets are validated before.
    package static func + (a: Self, distance: UInt64) -> Self { Self(a.bytes + distance) }
}

/// A byte's place in a storage.
package struct HostOffset: Hashable, Comparable, Sendable {
    /// Bytes from the start of the storage.
    package let bytes: UInt64

    /// Names the place `bytes` bytes from the start.
    package init(_ bytes: UInt64) { self.bytes = bytes }

    package static func < (a: Self, b: Self) -> Bool { a.bytes < b.bytes }

    /// The place `distance` bytes on. Traps on overflow: host offsets are validated before.
    package static func + (a: Self, distance: UInt64) -> Self { Self(a.bytes + distance) }
}

// In messages an offset is a bare number.

extension GuestOffset: Codable {
    package init(from decoder: any Decoder) throws {
        bytes = try decoder.singleValueContainer().decode(UInt64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}

extension HostOffset: Codable {
    package init(from decoder: any Decoder) throws {
        bytes = try decoder.singleValueContainer().decode(UInt64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}

/// A stretch of guest bytes.
package struct GuestRange: Hashable, Sendable, Codable {
    /// The first byte.
    package let start: GuestOffset
    /// How many bytes.
    package let length: UInt64

    /// Names `length` bytes from `start`.
    package init(_ start: GuestOffset, length: UInt64) {
        self.start = start
        self.length = length
    }

    /// The first byte behind the stretch.
    package var end: GuestOffset { start + length }
}

/// The sizes that the design is built on, in bytes.
package enum UnitSize {
    /// The data plane's unit of I/O.
    package static let chunk = 1 << 20
    /// The digest's unit: blkhash blocks.
    package static let block = 64 << 10
    /// The largest virtual disk: what qemu accepts, 2^63 - 1 rounded down to 1 GiB.
    package static let largestDisk = (UInt64(1) << 63) - (1 << 30)
}

extension UInt64 {
    /// The value rounded down to a multiple of `unit`, which must not be zero.
    package func roundedDown(to unit: UInt64) -> UInt64 { self - self % unit }

    /// The value rounded up to a multiple of `unit`, or nil where that does not fit.
    package func roundedUp(to unit: UInt64) -> UInt64? {
        let rest = self % unit
        guard rest != 0 else { return self }
        let (sum, overflow) = addingReportingOverflow(unit - rest)
        return overflow ? nil : sum
    }

    /// How many units of `unit` bytes hold this many bytes.
    package func dividedRoundingUp(by unit: UInt64) -> UInt64 {
        self / unit + (self % unit == 0 ? 0 : 1)
    }

    /// The difference, or 0 where `other` is larger.
    package func subtractingOrZero(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }

    /// The sum, or nil on overflow: for numbers that an image or a message brought.
    package func adding(_ other: UInt64) -> UInt64? {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? nil : sum
    }

    /// The product, or nil on overflow: for numbers that an image or a message brought.
    package func multiplied(by other: UInt64) -> UInt64? {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? nil : product
    }
}
