// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Which class a job is of: each class has a topic of tasks of its own, and its share of the workers.
package enum JobPriority: String, Sendable, Hashable, Codable, CaseIterable {
    /// Someone waits for it.
    case high
    /// As usual.
    case normal
    /// It may take as long as it takes.
    case bulk

    /// How many tasks of this class a worker takes, compared with the others, where all classes have some.
    package var share: Int {
        switch self {
        case .high: 8
        case .normal: 3
        case .bulk: 1
        }
    }

    /// Its place among the classes, from 0.
    var rank: Int {
        switch self {
        case .high: 0
        case .normal: 1
        case .bulk: 2
        }
    }
}
