// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

package import BlockIO

/// What a record carries.
///
/// Between a producer and a consumer in one process a message goes as it is: making bytes of it and a message of those
/// again costs more than all else that a log does. It becomes bytes where bytes are kept or sent.
package enum RecordContent: Sendable {
    /// Headers and value as they are stored; without a value a tombstone.
    case bytes(headers: [LogHeader], value: [UInt8]?)
    /// The message itself.
    case message(any LogMessage)

    /// The headers, in order.
    package var headers: [LogHeader] {
        switch self {
        case .bytes(let headers, _): headers
        case .message(let message): message.headers
        }
    }

    /// The value, nil for a tombstone.
    package var value: [UInt8]? {
        switch self {
        case .bytes(_, let value): value
        // Whoever keeps bytes has called `encoded` and seen the error; here there is nothing to show.
        case .message(let message): try? message.value()
        }
    }

    /// The same content as bytes. Fails where the message cannot be encoded.
    package func encoded() throws(DrayError) -> RecordContent {
        guard case .message(let message) = self else { return self }
        return .bytes(headers: message.headers, value: try message.value())
    }
}

/// A message that a record can carry, and its form as bytes.
package protocol LogMessage: Sendable {
    /// The record's headers.
    var headers: [LogHeader] { get }
    /// The record's value. Fails with `unsupported` where it is too large.
    func value() throws(DrayError) -> [UInt8]
}
