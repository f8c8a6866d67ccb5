// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Lists of `key=value`, separated by commas, as `-o` and `-l` take them. A comma inside a value is doubled.
package struct KeyValueList: Sendable, Hashable {
    /// A key with its value.
    package struct Entry: Sendable, Hashable {
        /// The text before the first `=`.
        package let key: String
        /// The text behind it; `on` where there is no `=`, as qemu-img has it.
        package let value: String

        /// Names an entry.
        package init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    /// The entries, in order.
    package let entries: [Entry]
    /// Whether the list asks for help instead: `help` or `?` stands among its entries.
    package let asksForHelp: Bool

    /// Reads the values of a repeatable option, as if they were one list. `name` is the option's, for messages, which do not repeat
    /// the text where it may hold secrets.
    package init(
        _ texts: [String],
        for name: String,
        mayHoldSecrets: Bool = false
    ) throws(UsageError) {
        var entries: [Entry] = []
        var asksForHelp = false
        for text in texts {
            for item in Self.items(text) {
                if item == "help" || item == "?" {
                    asksForHelp = true
                    continue
                }
                guard let entry = Self.entry(item) else {
                    let what = mayHoldSecrets ? "this" : "'\(text)'"
                    throw UsageError("\(name): \(what) is not a list of key=value")
                }
                entries.append(entry)
            }
        }
        self.entries = entries
        self.asksForHelp = asksForHelp
    }

    /// The last value of `key`.
    package func value(_ key: String) -> String? {
        entries.last { $0.key == key }?.value
    }

    private static func entry(_ item: String) -> Entry? {
        guard let equals = item.firstIndex(of: "=") else {
            return item.isEmpty ? nil : Entry(item, "on")
        }
        let key = String(item[..<equals])
        return key.isEmpty ? nil : Entry(key, String(item[item.index(after: equals)...]))
    }

    /// The text cut at single commas, with doubled commas made one. By scalar: a comma and an accent make one Character.
    private static func items(_ text: String) -> [String] {
        var items: [String] = []
        var current = String.UnicodeScalarView()
        var isAfterComma = false
        for scalar in text.unicodeScalars {
            if isAfterComma {
                isAfterComma = false
                if scalar == "," {
                    current.append(",")
                    continue
                }
                items.append(String(current))
                current = String.UnicodeScalarView()
            }
            if scalar == "," { isAfterComma = true } else { current.append(scalar) }
        }
        items.append(String(current))
        if isAfterComma { items.append("") }
        return items
    }
}
