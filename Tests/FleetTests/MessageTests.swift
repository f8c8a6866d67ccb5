// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

import BlockIO
import Conversion
import Digest
import DiskImage
import Fleet
import FoundationEssentials
import TaskLog
import TestSupport
import Testing

struct MessageTests {
    private static let order: JobOrder = {
        var spec = JobSpec(kind: .convert, sources: [SourceSpec(path: "a \"b\" \u{1F600}")])
        let snapshots: [SnapshotChoice] = [
            .idOrName("1"), .id("1"), .name("a\""), .both(id: "1", name: ""),
        ]
        for snapshot in snapshots {
            var source = SourceSpec(path: "c.qcow2")
            source.snapshot = snapshot
            spec.sources.append(source)
        }
        spec.target = TargetSpec(path: "b.qcow2", format: .qcow2)
        spec.target?.compression = .level(7)
        return JobOrder(id: "job-1", spec: spec)
    }()

    private static let range: RangeResult = {
        let range = GuestRange(GuestOffset(1 << 25), length: 1 << 25)
        var result = RangeResult(range: range, dataBytes: 12_345)
        var lengths = StoredLengths()
        for length in [0, 127, 128, 65_535, 1 << 20] { lengths.append(length) }
        result.placement = RangePlacement(
            range: range,
            reservation: HostOffset(327_680),
            runs: [.init(.hole, 3), .init(.data, 500), .init(.zero, 9)],
            stored: lengths
        )
        result.digest = RangeDigest(runs: [.zeroBlocks(16), .digests([1, 2, 3]), .zeroBlocks(1)])
        result.mismatch = GuestOffset(1 << 26)
        return result
    }()

    private static let given: GivenResults = {
        var given = GivenResults()
        _ = given.append(range)
        return given
    }()

    private static let plan = PlanResult(
        planHash: "ab12",
        rangeCount: 7,
        guestSize: 7 << 25,
        dataBytes: 99,
        firstPayload: HostOffset(327_680),
        furtherPayload: [PayloadStart(range: 5, place: HostOffset(1 << 32))],
        needsSeal: true
    )

    private static func messages() -> [Message] {
        let error = DrayError(.corrupt, "bad\nentry", file: "a", offset: 77, errno: 5)
        let name = TaskName(job: "job-1", step: .range, plan: "ab12", index: 3)
        let task = TaskMessage(
            order: order,
            name: TaskName(job: "job-1", step: .seal, plan: "ab12"),
            attempt: 2,
            epoch: 3,
            isIsolated: true,
            rangeCount: 7,
            results: TaskMessage.Span(partition: 0, from: 5, to: 99),
            given: given,
            place: 327_680
        )
        var record = JobRecord(
            Submission(order, weight: 3, priority: .bulk, submittedAt: 1_770_000_000_000)
        )
        record.endedAt = 1_770_000_001_000
        record.plan = plan
        record.state = .failing
        record.error = error
        record.outcome = JobOutcome(guestSize: 1, rangeCount: 2)
        var lengths = StoredLengths()
        for length in [nil, 1000, 65_535] { lengths.append(length) }
        let shared = SpaceRequest(
            66_535,
            alignedBytes: 65_536,
            alignment: 65_536,
            shared: SpaceRequest.Shared(lengths, most: 3)
        )
        let bodies: [ResultMessage.Body] = [
            .started, .sized(SpaceRequest(1 << 40)),
            .sized(SpaceRequest(7, alignedBytes: 9, alignment: 65_536)), .sized(shared),
            .progress(5), .planned(plan), .ranged(range),
            .sealed(SealResult(targetLength: 8)), .discarded, .failed(error), .cancelled,
        ]
        let events: [EventMessage.Body] = [
            .submitted, .planned(plan), .range(3, range), .cancelled, .failed(error),
            .retrying(name, failures: 2, after: 1500, error),
            .finished(JobOutcome(guestSize: 1, rangeCount: 2)),
        ]
        let reservation = ControlRecord.Reservation(index: 3, offset: 327_680)
        let control = ControlRecord(
            job: "job-1",
            state: .running,
            epoch: 2,
            plan: "ab12",
            reservations: [reservation],
            refused: [4]
        )
        let letter = DeadLetter(task: task, attempts: 5, unendedStarts: 1, error: error)
        return [
            .request(.submit(Submission(order, weight: 2, priority: .high, submittedAt: 5))),
            .request(.cancel("job-1")), .job(record),
            .task(task), .control(control), .deadLetter(letter),
        ]
            + bodies.map {
                .result(ResultMessage(task: name, attempt: 1, epoch: 2, run: "w/1", body: $0))
            } + events.map { .event(EventMessage(job: "job-1", $0)) }
    }

    private static func encode(_ message: Message) throws -> LogRecord {
        let record = MessageCodec(source: "test").record(
            message,
            to: PartitionID("t", 0),
            wallMilliseconds: 1_770_000_000_123
        )
        let bytes = try record.content.encoded()
        return stored(bytes.headers, bytes.value)
    }

    private static func stored(_ headers: [LogHeader], _ value: [UInt8]?) -> LogRecord {
        LogRecord(
            topic: "t",
            partition: 0,
            offset: 0,
            key: nil,
            headers: headers,
            value: value,
            timestamp: 0
        )
    }

    /// The short way has its own list of fields: with a sample that has them all, a field that is missing there does not come back.
    @Test("the sample of a range's result has a value in each field")
    func wholeSample() {
        func expectValues(_ value: Any, _ path: String) {
            let mirror = Mirror(reflecting: value)
            #expect(mirror.displayStyle != .optional || mirror.children.count == 1, "\(path)")
            for child in mirror.children {
                expectValues(child.value, "\(path).\(child.label ?? "")")
            }
        }
        expectValues(Self.range, "range")
    }

    @Test("every message comes back as it was", arguments: messages())
    func roundTrip(message: Message) throws {
        #expect(try MessageCodec.message(Self.encode(message)) == message)
    }

    /// What the codec writes and reads by a short way of its own must mean the same to a general JSON parser.
    @Test("spaces, escapes and unknown fields change nothing", arguments: messages())
    func otherSpelling(message: Message) throws {
        let record = try Self.encode(message)
        let text = String(decoding: try #require(record.value), as: UTF8.self)
        for (plain, other) in [
            ("\":", "\" : "), ("\":\"", "\":\n\""), ("{", "{\"unknown\":[{}],"),
            ("job-1", "\\u006aob-1"),
            ("/", "\\/"),
        ] {
            let spelled = [UInt8](text.replacing(plain, with: other).utf8)
            #expect(try MessageCodec.message(Self.stored(record.headers, spelled)) == message)
        }
    }

    @Test("a name with quotes, backslashes, control characters and emoji travels as it is")
    func oddNames() throws {
        let name = TaskName(job: "job-1", step: .range, plan: "\u{1F600}", index: 3)
        let run = "host\"\\\n\u{1}\u{7f}/7"
        let message = Message.result(
            ResultMessage(task: name, attempt: 1, epoch: 2, run: run, body: .ranged(Self.range))
        )
        #expect(try MessageCodec.message(Self.encode(message)) == message)
    }

    @Test(
        "what is nearly a report is refused as any other parser would",
        arguments: [
            "", "{}", "{", "[]", "{\"job\":\"a\"}", "{\"bytes\":01}", "{\"bytes\":1.5}",
            "{\"bytes\":-1}",
            "{\"bytes\":18446744073709551616}", "{\"bytes\":5}x",
            // A stream of 5 bytes, or what is said to be one: without its cluster's size, with another sum, too long, or shared by too many.
            "{\"bytes\":5,\"stored\":\"BQ==\",\"mostShared\":3}",
            "{\"bytes\":6,\"alignment\":512,\"stored\":\"BQ==\",\"mostShared\":3}",
            "{\"bytes\":512,\"alignment\":512,\"stored\":\"gAQ=\",\"mostShared\":3}",
            "{\"bytes\":5,\"alignment\":512,\"stored\":\"BQ==\",\"mostShared\":4}",
            "{\"bytes\":5,\"alignment\":512,\"stored\":\"BQ==\"}",
            "{\"bytes\":5,\"alignment\":512,\"stored\":\"hQ==\",\"mostShared\":3}",
        ]
    )
    func nearlyReports(fields: String) throws {
        let name = TaskName(job: "job-1", step: .range, plan: "ab12", index: 3)
        let whole = ResultMessage(
            task: name,
            attempt: 1,
            epoch: 2,
            run: "w/1",
            body: .sized(SpaceRequest(5))
        )
        let record = try Self.encode(.result(whole))
        let text = String(decoding: try #require(record.value), as: UTF8.self)
        let spoiled =
            fields.contains("bytes")
            ? text.replacing("\"bytes\":5}", with: fields.dropFirst()) : fields
        #expect(throws: DrayError.self) {
            try MessageCodec.message(Self.stored(record.headers, [UInt8](spoiled.utf8)))
        }
    }

    @Test("every type of message is tried here")
    func allTypes() {
        #expect(Set(Self.messages().map(\.type)) == Set(MessageType.allCases))
    }

    @Test("events say what tells a repetition from news, as docs/protocol.md has it")
    func eventIDs() throws {
        let name = TaskName(job: "job-1", step: .range, plan: "ab12", index: 3)
        let error = DrayError(.resource, "no")
        let ids: [(EventMessage.Body, String)] = [
            (.submitted, "submitted"), (.planned(Self.plan), "planned"),
            (.range(3, Self.range), "range/3"),
            (.retrying(name, failures: 2, after: 9, error), "retrying/range/3/2"),
            (.finished(JobOutcome(guestSize: 1, rangeCount: 1)), "end"), (.failed(error), "end"),
            (.cancelled, "end"),
        ]
        for (body, id) in ids {
            let record = try Self.encode(.event(EventMessage(job: "job-1", body)))
            #expect(record.headers.contains(LogHeader("ce_id", "job-1/" + id)))
        }
    }

    @Test("the time is RFC 3339 in UTC")
    func time() throws {
        let record = try Self.encode(.request(.cancel("job-1")))
        let header = try #require(record.headers.first { $0.name == "ce_time" })
        #expect(String(decoding: header.value, as: UTF8.self) == "2026-02-02T02:40:00.123Z")
    }

    @Test("unknown fields are ignored, unknown types refused")
    func unknown() throws {
        let headers = [LogHeader("ce_type", "dray.request.cancel.v1")]
        let value = Array(#"{"id":"x","colour":{"a":[1,2]}}"#.utf8)
        #expect(try MessageCodec.message(Self.stored(headers, value)) == .request(.cancel("x")))
        for type in ["dray.request.cancel.v2", "other", ""] {
            let headers = [LogHeader("ce_type", type)]
            let error = #expect(throws: DrayError.self) {
                try MessageCodec.message(Self.stored(headers, value))
            }
            #expect(error?.kind == .unsupported)
        }
    }

    @Test(
        "counts that could not be counted on are refused",
        arguments: ["attempt", "epoch", "index"],
        ["9223372036854775807", "-1", "2147483648"]
    )
    func counts(field: String, number: String) {
        let plain =
            #"{"job":"a","step":"range","plan":"p","index":1,"attempt":1,"epoch":1,"run":"w"}"#
        let value = plain.replacing("\"\(field)\":1", with: "\"\(field)\":\(number)")
        let headers = [LogHeader("ce_type", MessageType.started.rawValue)]
        #expect(throws: Never.self) {
            try MessageCodec.message(Self.stored(headers, Array(plain.utf8)))
        }
        #expect(throws: DrayError.self) {
            try MessageCodec.message(Self.stored(headers, Array(value.utf8)))
        }
    }

    @Test("what is too large, too deep or cut off is refused without a trap")
    func hostile() throws {
        let headers = [LogHeader("ce_type", MessageType.task.rawValue)]
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1 << 20)
        let large = [UInt8](repeating: UInt8(ascii: " "), count: 10 << 20)
        for value in [deep, large, [], Array("null".utf8), Array("{}".utf8), [0xFF, 0xFE]] {
            #expect(throws: DrayError.self) {
                try MessageCodec.message(Self.stored(headers, value))
            }
        }
        for message in Self.messages() {
            let record = try Self.encode(message)
            let value = record.value ?? []
            for length in stride(from: 0, to: value.count - 1, by: 7) {
                let cut = Self.stored(record.headers, Array(value.prefix(length)))
                #expect(throws: DrayError.self) { try MessageCodec.message(cut) }
            }
        }
    }

    @Test("bytes that are changed at random never trap", arguments: SeededGenerator.seeds(4))
    func mutated(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for message in Self.messages() {
            let record = try Self.encode(message)
            for _ in 0..<50 {
                var value = record.value ?? []
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let place = Int.random(in: 0..<value.count, using: &random)
                    value[place] = UInt8.random(in: 0...255, using: &random)
                }
                // Whether it can be read does not matter here, only that trying is safe.
                _ = MessageCodec.read(Self.stored(record.headers, value))
            }
        }
    }
}
