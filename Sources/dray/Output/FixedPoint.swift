// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Numbers with a fixed count of digits behind the point.
enum FixedPoint {
    /// `value`, which is not negative, with `decimals` digits: `%.2f` of printf for 2.
    static func text(_ value: Double, decimals: Int) -> String {
        let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
        let units = UInt64((value * scale).rounded(.toNearestOrEven))
        let fraction = String(units % UInt64(scale))
        let zeros = String(repeating: "0", count: max(0, decimals - fraction.count))
        return "\(units / UInt64(scale)).\(zeros)\(fraction)"
    }
}
