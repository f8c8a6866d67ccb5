// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Sizes as qemu-img takes them: `512`, `64k`, `1.5G`, `0x200`.
package enum ByteSize {
    /// The largest size, in bytes: what fits in a signed 64-bit number.
    package static let largest = UInt64(Int64.max)

    /// The bytes that `text` means.
    ///
    /// A number, decimal with an optional fraction or hexadecimal after `0x`, and an optional suffix of either case:
    /// b (1), k, M, G, T, P, E (powers of 1024). A fraction needs a suffix beyond b and is rounded to the nearest byte.
    package static func parse(_ text: String, for name: String) throws(UsageError) -> UInt64 {
        guard let bytes = bytes(Array(text.utf8)), bytes <= largest else {
            throw UsageError(
                "\(name): '\(text)' is not a size; write a number with an optional suffix "
                    + "k, M, G, T, P or E"
            )
        }
        return bytes
    }

    private static func bytes(_ text: [UInt8]) -> UInt64? {
        if text.starts(with: Array("0x".utf8)) || text.starts(with: Array("0X".utf8)) {
            return hexadecimal(text.dropFirst(2))
        }
        let digits = text.prefix(while: isDigit)
        var rest = text.dropFirst(digits.count)
        var fraction: ArraySlice<UInt8>?
        if rest.first == UInt8(ascii: ".") {
            let found = rest.dropFirst().prefix(while: isDigit)
            rest = rest.dropFirst(1 + found.count)
            fraction = found
        }
        guard !digits.isEmpty || fraction?.isEmpty == false else { return nil }
        guard let unit = unit(rest), fraction == nil || unit > 1 else { return nil }
        guard let whole = digits.isEmpty ? 0 : UInt64(String(decoding: digits, as: UTF8.self))
        else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
        let (sum, carry) = product.addingReportingOverflow(part(fraction ?? [], of: unit))
        return overflow || carry ? nil : sum
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard let first = digits.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "-")
        else { return nil }
        return UInt64(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func unit(_ suffix: ArraySlice<UInt8>) -> UInt64? {
        guard let letter = suffix.first else { return 1 }
        guard suffix.count == 1 else { return nil }
        let order = Array("bkmgtpe".utf8).firstIndex(of: letter | 0x20)
        return order.map { UInt64(1) << (10 * UInt64($0)) }
    }

    /// The bytes of the decimal fraction `digits` of `unit`, rounded to the nearest.
    private static func part(_ digits: ArraySlice<UInt8>, of unit: UInt64) -> UInt64 {
        guard !digits.isEmpty, let value = Double("0." + String(decoding: digits, as: UTF8.self))
        else { return 0 }
        return UInt64((value * Double(unit)).rounded())
    }
}
