// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage

/// Where a job's files are on this machine, and which others an image may name.
protocol JobFiles: Sendable {
    /// The request with the paths to open.
    func located(_ spec: JobSpec) throws(DrayError) -> JobSpec
    /// The path of the target alone: for cleaning up, when the sources may be gone.
    func locatedTarget(_ path: String) throws(DrayError) -> String
    /// What the job's images may name.
    func gate(for spec: JobSpec) throws(DrayError) -> any ReferenceGate
    /// Puts around a storage what belongs there: nothing, where nothing is measured.
    func wrap(_ storage: any Storage) -> any Storage
    /// What the plan calls the file at `path`: the same on every machine that runs the job.
    func name(of path: String) -> String
}

extension JobFiles {
    func wrap(_ storage: any Storage) -> any Storage { storage }
}

/// Files by the paths that the user gave.
struct LocalFiles: JobFiles {
    /// What images may name.
    let gate: any ReferenceGate
    /// What is put around storages.
    var wrapping: @Sendable (any Storage) -> any Storage = { $0 }

    func wrap(_ storage: any Storage) -> any Storage { wrapping(storage) }

    func located(_ spec: JobSpec) -> JobSpec { spec }

    func locatedTarget(_ path: String) -> String { path }

    func gate(for spec: JobSpec) -> any ReferenceGate { gate }

    func name(of path: String) -> String { path }
}
