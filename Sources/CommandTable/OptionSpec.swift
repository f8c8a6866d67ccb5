// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// An option of a command: one row of the table.
package struct OptionSpec: Sendable, Hashable {
    /// The name after two dashes. Names the option within its command.
    package let long: String
    /// The letter after one dash, if it has one.
    package let short: Character?
    /// What its value is called in help texts, or nil where it takes none.
    package let value: String?
    /// What it does, in a sentence or two.
    package let help: String
    /// Whether giving it again adds a value instead of replacing the one before.
    package let isRepeatable: Bool
    /// Whether help texts keep silent about it.
    package let isHidden: Bool
    /// The values that completion offers; a row that takes files has none.
    package let choices: [String]

    /// Describes an option.
    package init(
        _ short: Character? = nil,
        _ long: String,
        value: String? = nil,
        choices: [String] = [],
        isRepeatable: Bool = false,
        isHidden: Bool = false,
        _ help: String
    ) {
        self.short = short
        self.long = long
        self.value = value
        self.choices = choices
        self.isRepeatable = isRepeatable
        self.isHidden = isHidden
        self.help = help
    }

    /// How the option is written, with its value's name: `-f FMT, --format FMT`.
    package var spellings: [String] {
        let suffix = value.map { " " + $0 } ?? ""
        let letter = short.map { ["-\($0)\(suffix)"] } ?? []
        return letter + ["--\(long)\(suffix)"]
    }
}

/// A positional argument of a command.
package struct ArgumentSpec: Sendable, Hashable {
    /// What it is called in help texts, in capitals.
    package let name: String
    /// Whether it may be left out.
    package let isOptional: Bool
    /// Whether there may be several.
    package let isRepeatable: Bool
    /// The words that completion offers; empty for files.
    package let choices: [String]

    /// Describes an argument.
    package init(
        _ name: String,
        isOptional: Bool = false,
        isRepeatable: Bool = false,
        choices: [String] = []
    ) {
        self.name = name
        self.isOptional = isOptional
        self.isRepeatable = isRepeatable
        self.choices = choices
    }

    /// How the argument stands in a usage line: `SRC…`, `[FILE]`.
    package var usage: String {
        let text = name + (isRepeatable ? "…" : "")
        return isOptional ? "[\(text)]" : text
    }
}
