// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Which internal snapshot of an image is to be read.
package enum SnapshotChoice: Sendable, Hashable {
    /// The first with this id, or where there is none with this name.
    case idOrName(String)
    /// The first with this id.
    case id(String)
    /// The first with this name, whatever is another's id.
    case name(String)
    /// The first that has both.
    case both(id: String, name: String)

    /// The snapshot that is meant, if it is among `snapshots`.
    func first(of snapshots: [QCOW2Snapshot]) -> QCOW2Snapshot? {
        switch self {
        case .idOrName(let text):
            snapshots.first { $0.id == text } ?? snapshots.first { $0.name == text }
        case .id(let id): snapshots.first { $0.id == id }
        case .name(let name): snapshots.first { $0.name == name }
        case .both(let id, let name): snapshots.first { $0.id == id && $0.name == name }
        }
    }
}

extension SnapshotChoice: CustomStringConvertible {
    /// What a message says of it, and a plan.
    package var description: String {
        switch self {
        case .idOrName(let text): text
        case .id(let id): "with the id \(id)"
        case .name(let name): "with the name \(name)"
        case .both(let id, let name): "with the id \(id) and the name \(name)"
        }
    }
}

/// In messages: text, for an id or a name, or an object of `id`, `name` or both.
extension SnapshotChoice: Codable {
    private struct Exact: Codable {
        var id: String?
        var name: String?
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // What is no text is an object: its own error says what is wrong with it.
        if let text = try? container.decode(String.self) {
            self = .idOrName(text)
            return
        }
        let exact = try container.decode(Exact.self)
        switch (exact.id, exact.name) {
        case (let id?, let name?): self = .both(id: id, name: name)
        case (let id?, nil): self = .id(id)
        case (nil, let name?): self = .name(name)
        case (nil, nil):
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "a snapshot has neither id nor name"
            )
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .idOrName(let text): try container.encode(text)
        case .id(let id): try container.encode(Exact(id: id))
        case .name(let name): try container.encode(Exact(name: name))
        case .both(let id, let name): try container.encode(Exact(id: id, name: name))
        }
    }
}
