// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO

/// A creation option that a format takes: what `-o help` lists, and how its values are read.
package struct TargetOption: Sendable, Hashable {
    /// What sort of value it takes.
    package enum Kind: String, Sendable, Hashable {
        /// Text.
        case text = "str"
        /// A number of bytes, with an optional suffix.
        case size
        /// A number.
        case number = "num"
        /// `on` or `off`.
        case flag = "bool (on/off)"
    }

    /// The key.
    package let name: String
    /// What sort of value it takes.
    package let kind: Kind
    /// What it does, in a few words.
    package let help: String

    /// Names an option.
    package init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }

    /// The option's line in `-o help`, in the columns of qemu-img.
    package var helpLine: String {
        let head = "\(name)=<\(kind.rawValue)>"
        let padding = String(repeating: " ", count: max(0, 22 - head.utf8.count))
        return "  \(head)\(padding) - \(help)"
    }
}

extension FormatOption {
    /// The value as `on` or `off`, with the words that qemu-img takes for them.
    func flag() throws(DrayError) -> Bool {
        switch value {
        case "on", "yes", "true", "y": return true
        case "off", "no", "false", "n": return false
        default: throw invalid("expects 'on' or 'off'")
        }
    }

    /// The value as a number: decimal, or hexadecimal with 0x.
    func number() throws(DrayError) -> UInt64 {
        guard let number = Self.integer(value) else { throw invalid("expects a number") }
        return number
    }

    /// The value as a number of bytes: decimal with an optional fraction, or hexadecimal, with one of the suffixes
    /// b, k, M, G, T, P and E.
    func size() throws(DrayError) -> UInt64 {
        guard let size = Self.size(value) else {
            throw invalid("expects a number of bytes, with an optional suffix k, M, G, T, P or E")
        }
        return size
    }

    /// The value as one of a few words.
    func choice<C: RawRepresentable & CaseIterable>(_ type: C.Type) throws(DrayError) -> C
    where C.RawValue == String {
        guard let choice = C(rawValue: value) else {
            let names = C.allCases.map(\.rawValue).joined(separator: ", ")
            throw invalid("does not accept '\(value)', but \(names)")
        }
        return choice
    }

    /// Fails where the option `size` names another size than the disk's, in whole sectors.
    func requireSize(_ guestSize: UInt64) throws(DrayError) {
        guard try size().roundedUp(to: 512) == guestSize.roundedUp(to: 512) else {
            throw invalid("cannot differ from the source's size, \(guestSize) bytes")
        }
    }

    /// Fails where who opens the new image would take the name of its backing image for a URL or a driver's options.
    func refuseProtocol() throws(DrayError) {
        guard !value.prefix(while: { $0 != "/" }).contains(":") else {
            throw invalid("has a colon before the first slash: write ./ before a file's name")
        }
    }

    /// An error of kind `invalid` that names the option.
    func invalid(_ reason: String) -> DrayError {
        DrayError(.invalid, "option '\(key)' \(reason)")
    }

    private static func integer(_ text: some StringProtocol) -> UInt64? {
        let isHexadecimal = text.hasPrefix("0x") || text.hasPrefix("0X")
        let digits = isHexadecimal ? text.dropFirst(2) : text[...]
        // UInt64 would take a sign, too.
        guard digits.first?.isHexDigit == true else { return nil }
        return UInt64(digits, radix: isHexadecimal ? 16 : 10)
    }

    private static func size(_ text: String) -> UInt64? {
        let suffixes: [Character: UInt64] = [
            "b": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50, "e": 60,
        ]
        if let whole = integer(text) { return whole }
        guard let last = text.last?.lowercased().first, let shift = suffixes[last] else {
            return nil
        }
        let digits = text.dropLast()
        if let whole = integer(digits) { return whole.multiplied(by: 1 << shift) }
        guard digits.allSatisfy({ $0 == "." || ("0"..."9").contains($0) }),
            let fraction = Double(digits)
        else { return nil }
        return UInt64(exactly: (fraction * Double(UInt64(1) << shift)).rounded(.down))
    }
}
