// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The types of records, as their header `ce_type` names them. The number at the end is the type's version.
package enum MessageType: String, Sendable, CaseIterable {
    case submit = "dray.request.submit.v1"
    case cancel = "dray.request.cancel.v1"
    case job = "dray.job.v1"
    case task = "dray.task.v1"
    case control = "dray.control.v1"
    case deadLetter = "dray.deadletter.v1"

    case started = "dray.result.started.v1"
    case sized = "dray.result.sized.v1"
    case progress = "dray.result.progress.v1"
    case planned = "dray.result.planned.v1"
    case ranged = "dray.result.range.v1"
    case sealed = "dray.result.sealed.v1"
    case discarded = "dray.result.discarded.v1"
    case failed = "dray.result.failed.v1"
    case cancelled = "dray.result.cancelled.v1"

    case jobSubmitted = "dray.event.submitted.v1"
    case jobPlanned = "dray.event.planned.v1"
    case jobRange = "dray.event.range.v1"
    case jobRetrying = "dray.event.retrying.v1"
    case jobFinished = "dray.event.finished.v1"
    case jobFailed = "dray.event.failed.v1"
    case jobCancelled = "dray.event.cancelled.v1"
}
