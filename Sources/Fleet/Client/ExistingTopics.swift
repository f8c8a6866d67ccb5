// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO
package import TaskLog

extension Topics {
    /// The topics of the fleet that `log` leads to. Fails with `invalid` where one is missing or does not go with the others:
    /// a job's partition follows from how many there are, so they must be equally many everywhere.
    package init(of log: any TaskLog) throws(DrayError) {
        let jobs = try log.partitionCount(of: Topics.requests)
        let tasks = try log.partitionCount(of: Topics.tasks(.normal))
        self.init(jobPartitions: jobs, taskPartitions: tasks)
        for spec in specs {
            let count = try log.partitionCount(of: spec.name)
            guard count == spec.partitions else {
                throw DrayError(
                    .invalid,
                    "topic \(spec.name) has \(count) partitions where \(spec.partitions) are needed; "
                        + "see 'dray topics check'"
                )
            }
        }
    }
}
