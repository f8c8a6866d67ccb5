// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Storage

extension CountingStorage {
    /// How often it was read.
    var reads: Int { counts.reads }
}
