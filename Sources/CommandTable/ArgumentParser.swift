// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CGetopt
internal import Glibc
internal import Synchronization

extension CommandSpec {
    /// Reads the words that follow the command's name, by getopt_long(3): options and arguments in any order, `--`
    /// ends the options, a long name may be shortened while it stays unambiguous.
    ///
    /// The number of arguments is not checked: an option that asks for help goes without any. See
    /// ``ParsedArguments/checkCount()``.
    package func parse(_ words: [String]) throws(UsageError) -> ParsedArguments {
        let raw = try Parser(self).run(words)
        return ParsedArguments(command: self, positionals: raw.positionals, given: raw.given)
    }
}

/// getopt_long(3) keeps its state in global variables: one parse at a time.
private let oneAtATime = Mutex<Void>(())

/// One run of getopt_long(3) over a copy of the words, which it may permute.
private struct Parser {
    typealias Found = (positionals: [String], given: [(long: String, value: String?)])

    private let spec: CommandSpec
    /// Codes of options that have no letter start here, beyond every character.
    private static let firstLongCode: Int32 = 1000

    init(_ spec: CommandSpec) {
        precondition(spec.options.count < dray_getopt_limit, "too many options")
        self.spec = spec
    }

    func run(_ words: [String]) throws(UsageError) -> Found {
        let argv = unsafe ([spec.invocation] + words).map { unsafe strdup($0) }
        let names = unsafe spec.options.map { unsafe strdup($0.long) }
        defer {
            for index in unsafe argv.indices { unsafe free(argv[index]) }
            for index in unsafe names.indices { unsafe free(names[index]) }
        }
        var table = unsafe [dray_option]()
        for (index, option) in spec.options.enumerated() {
            unsafe table.append(
                dray_option(
                    name: names[index],
                    takes_value: option.value == nil ? 0 : 1,
                    code: code(index)
                )
            )
        }
        let result = oneAtATime.withLock { _ in unsafe steps(argv + [nil], table) }
        return try result.get()
    }

    private func steps(
        _ argv: [UnsafeMutablePointer<CChar>?],
        _ table: [dray_option]
    ) -> Result<Found, UsageError> {
        var argv = unsafe argv
        let count = unsafe Int32(argv.count - 1)
        var given: [(long: String, value: String?)] = []
        dray_getopt_start()
        while true {
            let step = unsafe dray_getopt_next(count, &argv, letters, table, Int32(table.count))
            if unsafe step.code == -1 {
                let rest = unsafe argv[Int(step.index)..<Int(count)]
                return unsafe .success((rest.map { unsafe text($0) }, given))
            }
            guard let option = unsafe option(of: step.code) else {
                let word = unsafe text(argv[max(1, Int(step.index) - 1)])
                return unsafe .failure(failure(step.code, step.culprit, word))
            }
            unsafe given.append((option.long, step.value.map { unsafe String(cString: $0) }))
        }
    }

    /// getopt's short form: a leading ':' asks for its two error codes.
    private var letters: String {
        spec.options.reduce(into: ":") { text, option in
            guard let letter = option.short else { return }
            text.append(letter)
            if option.value != nil { text.append(":") }
        }
    }

    private func code(_ index: Int) -> Int32 {
        spec.options[index].short?.asciiValue.map(Int32.init) ?? Self.firstLongCode + Int32(index)
    }

    private func option(of code: Int32) -> OptionSpec? {
        for index in spec.options.indices where self.code(index) == code {
            return spec.options[index]
        }
        return nil
    }

    private func failure(_ code: Int32, _ culprit: Int32, _ word: String) -> UsageError {
        let known = option(of: culprit)
        let isLong = word.hasPrefix("--")
        let letter = UInt8(exactly: culprit).map { "-" + String(UnicodeScalar($0)) } ?? word
        if code == Int32(UInt8(ascii: ":")) {
            return UsageError("option '\(isLong ? word : letter)' needs a value")
        }
        if isLong, known != nil { return UsageError("option '\(word)' takes no value") }
        if !isLong { return UsageError("unknown option '\(letter)'") }
        let name = word.dropFirst(2).prefix { $0 != "=" }
        let matches = spec.visibleOptions.filter { $0.long.hasPrefix(name) }
        guard matches.count > 1 else { return UsageError("unknown option '--\(name)'") }
        let list = matches.map { "--" + $0.long }.joined(separator: ", ")
        return UsageError("option '--\(name)' may mean \(list)")
    }

    private func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
        unsafe pointer.map { unsafe String(cString: $0) } ?? ""
    }
}
