// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

extension RangeDigest {
    /// Appends the digests of what follows. Only the last part may end with a block that is not whole.
    package mutating func append(_ next: RangeDigest) {
        for run in next.runs {
            switch (runs.last, run) {
            case (.zeroBlocks(let count), .zeroBlocks(let more)):
                runs[runs.count - 1] = .zeroBlocks(count + more)
            case (.digests(var digests), .digests(let more)):
                runs.removeLast()
                digests += more
                runs.append(.digests(digests))
            default:
                runs.append(run)
            }
        }
    }

    /// Fails with `invalid` unless these are the digests, of `digestSize` bytes each, of `length` bytes from a block's
    /// start. For what a message brought.
    package func validate(length: UInt64, digestSize: Int) throws(DrayError) {
        let expected = length.dividedRoundingUp(by: UInt64(UnitSize.block))
        var blocks: UInt64 = 0
        for (index, run) in runs.enumerated() {
            let count: UInt64
            switch run {
            case .zeroBlocks(let zeros): count = zeros
            case .digests(let bytes):
                guard bytes.count % digestSize == 0 else {
                    throw Self.wrong(
                        "run \(index) has \(bytes.count) bytes of digests of \(digestSize)"
                    )
                }
                count = UInt64(bytes.count / digestSize)
            }
            guard count > 0 else { throw Self.wrong("run \(index) is empty") }
            guard let sum = blocks.adding(count), sum <= expected else {
                throw Self.wrong("there are more than the \(expected) blocks of the range")
            }
            blocks = sum
        }
        guard blocks == expected else {
            throw Self.wrong("there are \(blocks) blocks, and the range has \(expected)")
        }
        if length % UInt64(UnitSize.block) != 0, case .zeroBlocks = runs.last {
            throw Self.wrong("the last block is not whole, but counted as a whole one of zeros")
        }
    }

    private static func wrong(_ what: String) -> DrayError {
        DrayError(.invalid, "the range's digest is wrong: \(what)")
    }
}
