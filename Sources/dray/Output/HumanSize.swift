// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Sizes for people.
enum HumanSize {
    private static let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

    /// The size with three digits that count, as qemu-img writes it: `332 KiB`, `1.5 GiB`.
    static func text(_ bytes: UInt64) -> String {
        var order = 0
        // The next unit is taken from 1000 on, not 1024: 1000 GiB are 0.977 TiB.
        while order < units.count - 1, Double(bytes) >= 1000 * pow(1024, Double(order)) {
            order += 1
        }
        return significant(Double(bytes) / pow(1024, Double(order))) + " " + units[order]
    }

    /// The number with three digits that count and no zeros behind the point: `%.3g` of printf, but 1000 for its `1e+03`.
    private static func significant(_ value: Double) -> String {
        let decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3
        let scale = pow(10, Double(decimals))
        let digits = UInt64((value * scale).rounded(.toNearestOrEven))
        let whole = digits / UInt64(scale)
        var fraction = String(digits % UInt64(scale))
        fraction = String(repeating: "0", count: max(0, decimals - fraction.count)) + fraction
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return fraction.isEmpty ? "\(whole)" : "\(whole).\(fraction)"
    }
}
