// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CRdKafka
internal import Glibc
internal import TaskLog

/// A record on its way to librdkafka, which copies it.
struct OutgoingMessage {
    let topic: KafkaTopic
    let partition: Int
    let key: [UInt8]?
    let headers: [LogHeader]
    let value: [UInt8]?
    let token: UInt64

    /// Queues it. The partition must exist: librdkafka 2.0.2 frees headers twice where it does not.
    func produce(on handle: KafkaHandle) -> KafkaCode {
        let list = unsafe makeHeaders()
        let code = unsafe Self.lend(key) { key in
            unsafe Self.lend(value) { value in
                unsafe queue(on: handle, key: key, value: value, headers: list)
            }
        }
        // librdkafka has taken them over only if all went well.
        if code != .none, let list = unsafe list { unsafe rd_kafka_headers_destroy(list) }
        return code
    }

    private func queue(
        on handle: KafkaHandle,
        key: UnsafeRawBufferPointer?,
        value: UnsafeRawBufferPointer?,
        headers: OpaquePointer?
    ) -> KafkaCode {
        var parts = unsafe [rd_kafka_vu_t](repeating: rd_kafka_vu_t(), count: 6)
        unsafe parts[0].vtype = RD_KAFKA_VTYPE_RKT
        unsafe parts[0].u.rkt = topic.raw
        unsafe parts[1].vtype = RD_KAFKA_VTYPE_PARTITION
        unsafe parts[1].u.i32 = Int32(clamping: partition)
        unsafe parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS
        unsafe parts[2].u.i = Int32(RD_KAFKA_MSG_F_COPY)
        unsafe parts[3].vtype = RD_KAFKA_VTYPE_OPAQUE
        unsafe parts[3].u.ptr = UnsafeMutableRawPointer(bitPattern: UInt(token))
        unsafe parts[4].vtype = RD_KAFKA_VTYPE_KEY
        unsafe parts[4].u.mem.ptr = UnsafeMutableRawPointer(mutating: key?.baseAddress)
        unsafe parts[4].u.mem.size = key?.count ?? 0
        unsafe parts[5].vtype = RD_KAFKA_VTYPE_VALUE
        unsafe parts[5].u.mem.ptr = UnsafeMutableRawPointer(mutating: value?.baseAddress)
        unsafe parts[5].u.mem.size = value?.count ?? 0
        if let headers = unsafe headers {
            var part = unsafe rd_kafka_vu_t()
            unsafe part.vtype = RD_KAFKA_VTYPE_HEADERS
            unsafe part.u.headers = headers
            unsafe parts.append(part)
        }
        guard let failure = unsafe rd_kafka_produceva(handle.raw, parts, parts.count) else {
            return .none
        }
        defer { unsafe rd_kafka_error_destroy(failure) }
        return unsafe KafkaCode(rd_kafka_error_code(failure))
    }

    private func makeHeaders() -> OpaquePointer? {
        guard !headers.isEmpty, let list = unsafe rd_kafka_headers_new(headers.count) else {
            return nil
        }
        for header in headers {
            unsafe Self.lend(header.value) { bytes in
                let count = unsafe bytes?.count ?? 0
                _ = unsafe rd_kafka_header_add(list, header.name, -1, bytes?.baseAddress, count)
            }
        }
        return unsafe list
    }

    /// Lends bytes; none stay none, and empty ones have an address: librdkafka tells them apart by it.
    private static func lend<Result>(
        _ bytes: [UInt8]?,
        _ body: (UnsafeRawBufferPointer?) -> Result
    ) -> Result {
        guard let bytes else { return body(nil) }
        let isEmpty = bytes.isEmpty
        return unsafe (isEmpty ? [0] : bytes).withUnsafeBytes { space in
            unsafe body(UnsafeRawBufferPointer(rebasing: space[..<bytes.count]))
        }
    }
}
