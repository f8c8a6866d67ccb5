// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import TaskLog

/// A message on its way, with what its headers say besides.
struct CodedMessage: LogMessage {
    /// The message.
    let message: Message
    /// Who writes (`ce_source`).
    let source: String
    /// When, in milliseconds since 1970.
    let time: Int64

    /// Makes a message ready to be sent.
    init(message: Message, source: String, time: Int64) {
        self.message = message
        self.source = source
        self.time = time
    }

    /// The message that `record` carries as it is, nil where it carries bytes.
    init?(in record: LogRecord) {
        guard case .message(let content) = record.content, let coded = content as? CodedMessage
        else {
            return nil
        }
        self = coded
    }

    var headers: [LogHeader] {
        [
            LogHeader("ce_specversion", "1.0"),
            LogHeader("ce_type", message.type.rawValue),
            LogHeader("ce_source", source),
            LogHeader("ce_id", message.id),
            LogHeader("ce_time", MessageCodec.time(time)),
            LogHeader("content-type", "application/json"),
        ]
    }

    func value() throws(DrayError) -> [UInt8] {
        let value = try MessageCodec.encode(message)
        guard value.count <= MessageCodec.largestValue else {
            throw DrayError(.unsupported, "a message of \(value.count) bytes is too large")
        }
        return value
    }
}
