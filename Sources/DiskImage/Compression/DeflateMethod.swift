// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// One way to make a deflate stream, from the fastest on.
enum DeflateMethod: Sendable, Hashable, Comparable {
    /// igzip's level 2: 2.5 times as fast as libdeflate's level 1, at 3 % more.
    case igzip
    /// This level of libdeflate's.
    case libdeflate(Int)

    /// The library, and all that its streams depend on beside the content.
    var library: String {
        switch self {
        case .igzip: IgzipEncoder.name
        case .libdeflate: LibdeflateEncoder.name
        }
    }

    /// An encoder of its kind. Traps where the machine has no memory left.
    func makeEncoder(_ wrapper: DeflateWrapper) -> any BlockEncoder {
        switch self {
        case .igzip: IgzipEncoder(wrapper)
        case .libdeflate(let level): LibdeflateEncoder(level: level, wrapper)
        }
    }
}

/// What stands around a deflate stream.
package enum DeflateWrapper: Sendable, Hashable {
    /// Nothing.
    case none
    /// Two bytes of header and a checksum (RFC 1950).
    case zlib
}
