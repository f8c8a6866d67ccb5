// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// A run of guest bytes in one state, as the whole chain of layers answers it.
package struct Extent: Sendable {
    /// What the run reads as.
    package enum State: Sendable, Equatable {
        /// Bytes are stored (or compressed).
        case data
        /// Zeros by metadata of some layer.
        case zero
        /// Allocated nowhere in the chain: reads as zeros.
        case hole
    }

    /// The guest bytes.
    package let range: GuestRange
    /// Which layer answered: 0 is the image itself, 1 its backing image, and so on.
    package let depth: Int
    /// Where the bytes live, in the words of that layer.
    package let place: Place

    /// Names a run.
    package init(range: GuestRange, depth: Int, place: Place) {
        self.range = range
        self.depth = depth
        self.place = place
    }

    /// What the run reads as.
    package var state: State {
        switch place {
        case .data, .compressed: .data
        case .zero: .zero
        case .unallocated: .hole
        }
    }
}
