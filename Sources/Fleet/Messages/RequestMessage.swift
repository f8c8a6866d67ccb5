// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import Conversion

/// What a client asks for: a record of `requests`.
package enum RequestMessage: Sendable, Hashable {
    /// Do this job; a second request with its id is ignored.
    case submit(JobOrder, weight: Int)
    /// Stop the job with this id.
    case cancel(String)

    /// The job's id.
    package var job: String {
        switch self {
        case .submit(let order, _): order.id
        case .cancel(let id): id
        }
    }
}
