// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import Fleet
import FoundationEssentials
import TaskLog
import Testing

/// Holds docs/protocol.md against the messages.
struct ProtocolDocumentTests {
    private struct Example {
        let type: String
        let json: String
    }

    /// The JSON examples of the page, each under the type that the heading before it names.
    private static func examples() throws -> [Example] {
        let path = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let data = try #require(FileManager.default.contents(atPath: "/\(path)/docs/protocol.md"))
        var type = ""
        var isInside = false
        var examples: [Example] = []
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("### ") { type = String(line.dropFirst(4)) }
            if line.hasPrefix("```") {
                isInside = line == "```json"
            } else if isInside {
                examples.append(Example(type: type, json: String(line)))
            }
        }
        return examples
    }

    private static func record(_ type: String, _ json: [UInt8]) -> LogRecord {
        LogRecord(
            topic: "t",
            partition: 0,
            offset: 0,
            key: nil,
            headers: [LogHeader("ce_type", type)],
            value: json,
            timestamp: 0
        )
    }

    @Test("every type has an example, and every example is what Dray writes")
    func examples() throws {
        let examples = try Self.examples()
        #expect(Set(examples.map(\.type)) == Set(MessageType.allCases.map(\.rawValue)))
        for example in examples {
            let message = try MessageCodec.message(
                Self.record(example.type, Array(example.json.utf8))
            )
            let written = try MessageCodec(source: "test")
                .record(message, to: PartitionID("t", 0), wallMilliseconds: 0).content.encoded()
            #expect(written.headers.contains(LogHeader("ce_type", example.type)))
            #expect(try Self.names(written.value ?? []) == Self.names(Array(example.json.utf8)))
        }
    }

    /// The names of all fields, each with its depth: an example may not show a field that is not written, nor leave out one that is.
    private static func names(_ json: [UInt8]) throws -> [String] {
        var names: [String] = []
        collect(try JSONDecoder().decode(Field.self, from: Data(json)), under: "", &names)
        return names.sorted()
    }

    private static func collect(_ field: Field, under path: String, _ names: inout [String]) {
        switch field {
        case .object(let fields):
            for (name, value) in fields {
                names.append(path + name)
                collect(value, under: path + name + ".", &names)
            }
        case .list(let values): for value in values { collect(value, under: path, &names) }
        case .other: break
        }
    }

    /// A JSON value, as far as names go.
    private enum Field: Decodable {
        case object([String: Field])
        case list([Field])
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let fields = try? container.decode([String: Field].self) {
                self = .object(fields)
            } else if let values = try? container.decode([Field].self) {
                self = .list(values)
            } else {
                self = .other
            }
        }
    }
}
