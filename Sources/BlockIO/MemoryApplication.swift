// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The place of a range among those that may need memory of a ``MemoryBudget``. It counts from its beginning on and not from when it has to
/// wait, so that a range does not come behind later ones because its thread was slower. For one thread.
package final class MemoryApplication {
    private let budget: MemoryBudget
    private let id: Int

    init(_ budget: MemoryBudget, id: Int) {
        self.budget = budget
        self.id = id
    }

    deinit { budget.leave(id) }

    /// Lends `bytes`, with a buffer of `bufferSize` bytes among them; once, and the caller has no other loan. This may wait: `beat` is
    /// called twice a second meanwhile and may end it by throwing.
    package func lend<E: Error>(
        _ bytes: Int,
        bufferSize: Int,
        beat: () throws(E) -> Void
    ) throws(E) -> MemoryLoan {
        precondition(bufferSize <= bytes, "the buffer is a part of the loan")
        while true {
            if let loan = budget.tryLend(bytes, bufferSize: bufferSize, to: id) { return loan }
            try beat()
        }
    }
}
