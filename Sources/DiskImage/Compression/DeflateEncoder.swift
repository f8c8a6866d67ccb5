// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// Compresses to deflate streams (RFC 1951), bare or wrapped, by the methods that an effort stands for.
package final class DeflateEncoder: BlockEncoder {
    private static let levels = 1...12

    private let encoders: [any BlockEncoder]
    /// Picks one of them where the effort leaves that open.
    private var chooser: DeflateChooser

    /// Fails with `invalid` for levels other than 1 to 12.
    package static func check(_ effort: CompressionEffort) throws(DrayError) {
        if case .level(let level) = effort { try DiskImage.check(level, levels, "zlib") }
    }

    /// The libraries that an effort takes, and all that their streams depend on beside the content.
    package static func name(_ effort: CompressionEffort, _ balance: DeflateBalance) -> String {
        Set(resolve(effort, balance).methods.map(\.library)).sorted().joined(separator: ", ")
    }

    /// How much memory an encoder takes for an effort, about, in bytes.
    package static func memory(_ effort: CompressionEffort, _ balance: DeflateBalance) -> Int {
        resolve(effort, balance).methods.map(EncoderMemory.deflate).reduce(0, +)
    }

    /// What an effort takes, where the balanced one is `balance`.
    private static func resolve(
        _ effort: CompressionEffort,
        _ balance: DeflateBalance
    ) -> DeflateBalance {
        switch effort {
        case .fast: DeflateBalance(.igzip)
        case .balanced: balance
        case .small: DeflateBalance(.libdeflate(7))
        case .level(let level): DeflateBalance(.libdeflate(level))
        }
    }

    /// Allocates an encoder for an effort that ``check(_:)`` takes; `balance` says what the balanced one is.
    /// Traps where the machine has no memory left.
    package init(
        _ effort: CompressionEffort,
        _ balance: DeflateBalance,
        _ wrapper: DeflateWrapper
    ) {
        chooser = DeflateChooser(Self.resolve(effort, balance))
        encoders = chooser.balance.methods.map { $0.makeEncoder(wrapper) }
    }

    package func begin() { chooser.begin() }

    package func encode(
        _ source: AlignedBuffer,
        _ input: Range<Int>,
        into target: AlignedBuffer,
        _ output: Range<Int>
    ) -> Int? {
        let index = chooser.index
        let first = encoders[index]
        let count = first.encode(source, input, into: target, output)
        chooser.note(count ?? input.count, of: input.count)
        guard let count, let again = chooser.indexForRetry, again != index else {
            return count
        }
        let other = encoders[again].encode(source, input, into: target, output)
        if let other, other <= count { return other }
        return first.encode(source, input, into: target, output)
    }
}

/// Fails with `invalid` where `level` is none of `levels`.
func check(_ level: Int, _ levels: ClosedRange<Int>, _ codec: String) throws(DrayError) {
    guard levels.contains(level) else {
        throw DrayError(
            .invalid,
            "\(codec) has the compression levels \(levels.lowerBound) to \(levels.upperBound), not \(level)"
        )
    }
}
