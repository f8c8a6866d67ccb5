// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Which of libdeflate's levels the balanced effort takes, cluster by cluster: what one cluster is, text or code, the next one mostly is too,
/// and how small it became tells which. No level is both fast and never larger than zlib's level 6.
package struct DeflateBalance: Sendable, Hashable {
    /// The levels by how well the cluster before was compressed: each holds from a size on, in per cent, the first from 0.
    private let steps: [Step]
    /// From here on, in per cent, a cluster is tried once more, with the highest level, and the smaller stream is kept.
    let hard: Int?

    private struct Step: Hashable {
        let from: Int
        let level: Int
    }

    private init(_ steps: [Step], hard: Int?) {
        self.steps = steps
        self.hard = hard
    }

    /// One level for all.
    init(level: Int) { self.init([Step(from: 0, level: level)], hard: nil) }

    /// Against a zlib that looks back 4 KiB, as qemu-img's does where it writes qcow2. Level 1 makes streams up to 1 % larger than its;
    /// with level 2 for text, and for the few clusters that hardly shrink, which gain most, they are 0.5 to 12 % smaller, at six times
    /// the speed.
    package static let qcow2 = DeflateBalance(
        [Step(from: 0, level: 1), Step(from: 13, level: 2), Step(from: 26, level: 1)],
        hard: 60
    )

    /// Against a zlib that looks back as far as it can, which qemu-img has for grains of VMDK. Level 5 makes code as small, but source files 5 %
    /// larger and text 1.4 %; with 7 and 6 for what shrinks most, text is 0.3 % larger and all else smaller. That takes 8 % more time on a
    /// system disk; to have all text smaller would take 11 %. Lower levels are no way to save time: there is no kind of content that
    /// they make as small.
    package static let vmdk = DeflateBalance(
        [Step(from: 0, level: 7), Step(from: 12, level: 6), Step(from: 20, level: 5)],
        hard: nil
    )

    /// All levels that occur, rising.
    var levels: [Int] { Set(steps.map(\.level)).sorted() }

    /// The level for a cluster that follows one of `percent` of its length.
    func level(after percent: Int) -> Int {
        steps.last { $0.from <= percent }?.level ?? steps[0].level
    }
}
