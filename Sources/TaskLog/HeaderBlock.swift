// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// A record's headers as one run of bytes: for each, the name and the value, each behind its length (32 bits, little-endian).
enum HeaderBlock {
    static func encode(_ headers: [LogHeader]) -> [UInt8] {
        var bytes: [UInt8] = []
        for header in headers {
            append(Array(header.name.utf8), to: &bytes)
            append(header.value, to: &bytes)
        }
        return bytes
    }

    /// The headers, or nil where the bytes are not what `encode` makes.
    static func decode(_ bytes: [UInt8]) -> [LogHeader]? {
        var headers: [LogHeader] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let name = take(&rest), let value = take(&rest) else { return nil }
            headers.append(LogHeader(String(decoding: name, as: UTF8.self), Array(value)))
        }
        return headers
    }

    private static func append(_ part: [UInt8], to bytes: inout [UInt8]) {
        let count = UInt32(clamping: part.count)
        for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(count >> shift & 0xFF)) }
        bytes += part
    }

    private static func take(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard rest.count >= 4 else { return nil }
        let count = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(4)
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
