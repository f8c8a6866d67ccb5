// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Which method the balanced effort takes, cluster by cluster: what one cluster is, text or code, the next one mostly is too,
/// and how small it became tells which. No method is both fast and never larger than zlib's level 6.
package struct DeflateBalance: Sendable, Hashable {
    /// The methods by how well the cluster before was compressed: each holds from a size on, in per cent, the first from 0.
    private let steps: [Step]
    /// In this range, in per cent, a cluster is tried once more, by the strongest method, and the smaller stream is kept.
    let hard: Range<Int>

    private struct Step: Hashable {
        let from: Int
        let method: DeflateMethod
    }

    private init(_ steps: [Step], hard: Range<Int> = 0..<0) {
        self.steps = steps
        self.hard = hard
    }

    /// One method for all.
    init(_ method: DeflateMethod) { self.init([Step(from: 0, method: method)]) }

    /// Against a zlib that looks back 4 KiB, as qemu-img's does where it writes qcow2. igzip's streams are 1.5 % larger than its for a system
    /// disk, most for what shrinks to a tenth, a quarter or hardly at all: there level 4 gains most in its time. With it the whole
    /// is 0.5 % smaller; object files alone are up to 5 % larger.
    package static let qcow2 = DeflateBalance(
        [
            Step(from: 0, method: .igzip), Step(from: 6, method: .libdeflate(4)),
            Step(from: 10, method: .igzip), Step(from: 22, method: .libdeflate(4)),
            Step(from: 32, method: .igzip), Step(from: 60, method: .libdeflate(4)),
            Step(from: 97, method: .igzip),
        ],
        hard: 60..<97
    )

    /// Against a zlib that looks back as far as it can, which qemu-img has for grains of VMDK. Level 5 makes code as small, but source files 5 %
    /// larger and text 1.4 %; with 7 and 6 for what shrinks most, text is 0.3 % larger and all else smaller. That takes 8 % more time on a
    /// system disk; to have all text smaller would take 11 %. Faster methods are no way to save time: there is no kind of content that
    /// they make as small.
    package static let vmdk = DeflateBalance(
        [
            Step(from: 0, method: .libdeflate(7)), Step(from: 12, method: .libdeflate(6)),
            Step(from: 20, method: .libdeflate(5)),
        ]
    )

    /// All methods that occur, from the fastest on.
    var methods: [DeflateMethod] { Set(steps.map(\.method)).sorted() }

    /// The method for a cluster that follows one of `percent` of its length.
    func method(after percent: Int) -> DeflateMethod {
        steps.last { $0.from <= percent }?.method ?? steps[0].method
    }
}
