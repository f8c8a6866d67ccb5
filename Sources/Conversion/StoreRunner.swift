// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Runs the steps of a fleet's jobs on the files of stores: see ``Stores``. Targets are fenced, because other workers write them too,
/// and errors name files as jobs do.
package final class StoreRunner: JobRunner {
    private let stores: Stores
    private let runner: LocalRunner

    /// A runner for jobs whose files lie in `stores`. Fails as ``Stores/init(_:)`` does. With `delayMilliseconds`, each read and each write of
    /// a storage takes so much longer (at most 1000): for measurements alone.
    package init(
        stores: [(name: String, directory: String)],
        delayMilliseconds: Int = 0
    ) throws(DrayError) {
        self.stores = try Stores(stores, delayMilliseconds: delayMilliseconds)
        runner = LocalRunner(files: self.stores, isFenced: true)
    }

    package func plan(_ job: JobOrder, _ control: any TaskControl) throws(DrayError) -> PlanResult {
        try renaming { () throws(DrayError) in try runner.plan(job, control) }
    }

    package func run(
        _ job: JobOrder,
        planHash: String,
        index: Int,
        _ control: any TaskControl
    ) throws(DrayError) -> RangeResult {
        try renaming { () throws(DrayError) in
            try runner.run(job, planHash: planHash, index: index, control)
        }
    }

    package func seal(
        _ job: JobOrder,
        planHash: String,
        results: [RangeResult],
        _ control: any TaskControl
    ) throws(DrayError) -> SealResult {
        try renaming { () throws(DrayError) in
            try runner.seal(job, planHash: planHash, results: results, control)
        }
    }

    package func discard(_ job: JobOrder) throws(DrayError) {
        try renaming { () throws(DrayError) in try runner.discard(job) }
    }

    private func renaming<R>(_ step: () throws(DrayError) -> R) throws(DrayError) -> R {
        do throws(DrayError) {
            return try step()
        } catch {
            throw stores.renaming(error)
        }
    }
}
