// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Reads Swift and C just well enough to tell code from comments and string literals.
struct CodeText {
    private enum Place {
        case code
        case lineComment
        case blockComment(depth: Int)
        case string(hashes: Int, isMultiline: Bool)
    }

    private let input: [UInt8]
    private var output: [UInt8]
    private var position = 0
    private var place = Place.code
    /// The strings around the code that is read, for code in an interpolation: their places, and the parentheses open in it.
    private var around: [(place: Place, open: Int)] = []

    private init(_ text: String) {
        input = Array(text.utf8)
        output = input
    }

    /// `text` with spaces instead of everything in comments and string literals; lines stay where they are.
    static func blanked(_ text: String) -> String {
        var reader = CodeText(text)
        while reader.position < reader.input.count { reader.step() }
        return String(decoding: reader.output, as: UTF8.self)
    }

    private mutating func step() {
        switch place {
        case .code: stepInCode()
        case .lineComment:
            if input[position] == UInt8(ascii: "\n") { place = .code }
            blank(1)
        case .blockComment(let depth):
            if follows("/*") {
                place = .blockComment(depth: depth + 1)
                blank(2)
            } else if follows("*/") {
                place = depth == 1 ? .code : .blockComment(depth: depth - 1)
                blank(2)
            } else {
                blank(1)
            }
        case .string(let hashes, let isMultiline): stepInString(hashes, isMultiline)
        }
    }

    private mutating func stepInCode() {
        if follows("//") {
            place = .lineComment
            blank(2)
        } else if follows("/*") {
            place = .blockComment(depth: 1)
            blank(2)
        } else if follows("'\"'") {
            blank(3)
        } else if let (hashes, isMultiline) = stringStart() {
            place = .string(hashes: hashes, isMultiline: isMultiline)
            blank(hashes + (isMultiline ? 3 : 1))
        } else {
            countParentheses()
            position += 1
        }
    }

    private mutating func countParentheses() {
        guard let last = around.indices.last else { return }
        if input[position] == UInt8(ascii: "(") { around[last].open += 1 }
        guard input[position] == UInt8(ascii: ")") else { return }
        around[last].open -= 1
        if around[last].open == 0 {
            place = around.removeLast().place
            output[position] = UInt8(ascii: " ")
        }
    }

    private mutating func stepInString(_ hashes: Int, _ isMultiline: Bool) {
        let pounds = String(repeating: "#", count: hashes)
        if follows("\\" + pounds + "(") {
            around.append((place, 1))
            place = .code
            blank(2 + hashes)
        } else if follows("\\" + pounds) {
            blank(2 + hashes)
        } else if follows((isMultiline ? "\"\"\"" : "\"") + pounds) {
            place = .code
            blank(hashes + (isMultiline ? 3 : 1))
        } else {
            if !isMultiline && input[position] == UInt8(ascii: "\n") { place = .code }
            blank(1)
        }
    }

    private func stringStart() -> (hashes: Int, isMultiline: Bool)? {
        var end = position
        while end < input.count, input[end] == UInt8(ascii: "#") { end += 1 }
        guard end < input.count, input[end] == UInt8(ascii: "\"") else { return nil }
        let isMultiline = input[end...].starts(with: "\"\"\"".utf8)
        return (end - position, isMultiline)
    }

    private func follows(_ text: String) -> Bool { input[position...].starts(with: text.utf8) }

    private mutating func blank(_ count: Int) {
        let end = min(position + count, input.count)
        for index in position..<end where input[index] != UInt8(ascii: "\n") {
            output[index] = UInt8(ascii: " ")
        }
        position = end
    }
}
