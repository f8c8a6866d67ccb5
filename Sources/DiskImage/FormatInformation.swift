// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// What a format tells about itself, for `dray info`: qemu-img's JSON keys of `format-specific` and of the image.
package struct FormatInformation: Sendable {
    /// A JSON value.
    package indirect enum Value: Sendable, Equatable {
        case text(String)
        case number(UInt64)
        case flag(Bool)
        case list([Value])
        case object([Field])
    }

    /// A key with its value, in output order.
    package struct Field: Sendable, Equatable {
        /// The key as qemu-img spells it in JSON.
        package let key: String
        /// The value.
        package let value: Value

        /// Names a field.
        package init(_ key: String, _ value: Value) {
            self.key = key
            self.value = value
        }
    }

    /// The cluster size in bytes, where the format has one.
    package var clusterSize: UInt64?
    /// Whether the image was not closed cleanly.
    package var isDirty = false
    /// Whether any cluster is known to be compressed or encrypted.
    package var isEncrypted = false
    /// The fields of `format-specific`'s `data`.
    package var fields: [Field] = []
    /// The internal snapshots: the fields of each as in qemu-img's `snapshots`.
    package var snapshots: [[Field]] = []

    /// Empty information.
    package init() {}
}
