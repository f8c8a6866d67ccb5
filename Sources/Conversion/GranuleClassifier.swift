// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Turns a walk over extents into runs of whole granules, each classed by what must happen to it in the target.
///
/// Runs need not be aligned: a granule that several runs share is classed by all of them.
package struct GranuleClassifier {
    /// What must happen to a granule.
    package enum Class: Sendable, Hashable {
        /// It must be read: it holds data, or a mixture that only reading resolves.
        case content
        /// It reads as zeros by metadata alone.
        case zero
        /// The target's backing image has it already.
        case deferred
    }

    /// A run of granules of one class.
    package struct Run: Sendable, Hashable {
        /// What must happen to them.
        package let kind: Class
        /// How many.
        package var count: UInt64
    }

    private let granule: UInt64
    private var filled: UInt64 = 0
    private var mixture: Set<Class> = []
    private var current: Run?

    /// A classifier of granules of `granule` bytes; the first begins where the walk begins.
    package init(granule: UInt64) {
        precondition(granule > 0, "a granule has at least one byte")
        self.granule = granule
    }

    /// Takes the next `length` bytes, all of class `kind`; hands finished runs to `emit`.
    package mutating func add(
        _ length: UInt64,
        _ kind: Class,
        _ emit: (Run) throws(DrayError) -> Void
    ) throws(DrayError) {
        var rest = length
        while rest > 0 {
            if filled == 0, rest >= granule {
                try append(kind, rest / granule, emit)
                rest %= granule
            } else {
                let taken = min(rest, granule - filled)
                mixture.insert(kind)
                filled += taken
                rest -= taken
                if filled == granule { try closeGranule(emit) }
            }
        }
    }

    /// Ends the walk: the last granule may be short.
    package mutating func finish(_ emit: (Run) throws(DrayError) -> Void) throws(DrayError) {
        if filled > 0 { try closeGranule(emit) }
        if let current { try emit(current) }
        current = nil
    }

    private mutating func closeGranule(_ emit: (Run) throws(DrayError) -> Void) throws(DrayError) {
        let kind = mixture.count == 1 ? mixture.first ?? .content : .content
        mixture.removeAll(keepingCapacity: true)
        filled = 0
        try append(kind, 1, emit)
    }

    private mutating func append(
        _ kind: Class,
        _ count: UInt64,
        _ emit: (Run) throws(DrayError) -> Void
    ) throws(DrayError) {
        if current?.kind == kind {
            current?.count += count
            return
        }
        if let current { try emit(current) }
        current = Run(kind: kind, count: count)
    }
}
