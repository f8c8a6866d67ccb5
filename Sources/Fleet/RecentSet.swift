// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The values that were inserted last, up to a limit.
struct RecentSet<Element: Hashable> {
    private var members: Set<Element> = []
    private var order: [Element] = []
    private var head = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    func contains(_ value: Element) -> Bool { members.contains(value) }

    mutating func remove(_ value: Element) { members.remove(value) }

    mutating func insert(_ value: Element) { _ = push(value) }

    /// Inserts a value and returns the one that had to go for it, if any.
    mutating func push(_ value: Element) -> Element? {
        guard members.insert(value).inserted else { return nil }
        order.append(value)
        guard order.count - head > limit else { return nil }
        let oldest = order[head]
        members.remove(oldest)
        head += 1
        if head > limit {
            order.removeFirst(head)
            head = 0
        }
        return oldest
    }
}
