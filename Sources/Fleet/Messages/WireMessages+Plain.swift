// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials

// The reports and events of which there are most, without the general encoder and decoder: those take many times as long, and each
// range's hashes are written twice and read once on their way.

extension WireResult {
    /// The report as JSON, nil where it has fields that are rare.
    var plainText: [UInt8]? {
        guard planned == nil, sealed == nil, error == nil else { return nil }
        var json = JSONWriter(capacity: 300 + (range?.plainSize ?? 0))
        json.begin()
        json.field("job", job)
        json.field("step", step.rawValue)
        json.field("plan", plan)
        json.field("index", index)
        json.field("attempt", attempt)
        json.field("epoch", epoch)
        json.field("run", run)
        json.field("bytes", bytes)
        json.field("alignedBytes", alignedBytes)
        json.field("alignment", alignment)
        json.field("stored", base64: stored)
        json.field("mostShared", mostShared)
        range?.write(to: &json)
        json.end()
        return json.text
    }

    /// Reads what ``plainText`` writes; nil for all else.
    init?(plain text: [UInt8]) {
        var names: (job: String?, step: Step?, plan: String?, run: String?)
        var counts: (index: Int?, attempt: Int?, epoch: Int?)
        var body: (bytes: UInt64?, range: WireRangeResult?)
        var aligned: (bytes: UInt64?, to: UInt64?)
        var shared: (stored: Data?, most: UInt64?)
        var json = PlainJSON(text)
        let isRead = json.object { json, name in
            switch name {
            case "job": set(&names.job, json.string())
            case "step": set(&names.step, json.string().flatMap { Step(rawValue: $0) })
            case "plan": set(&names.plan, json.string())
            case "run": set(&names.run, json.string())
            case "index": set(&counts.index, json.number())
            case "attempt": set(&counts.attempt, json.number())
            case "epoch": set(&counts.epoch, json.number())
            case "bytes": set(&body.bytes, json.number())
            case "alignedBytes": set(&aligned.bytes, json.number())
            case "alignment": set(&aligned.to, json.number())
            case "stored": set(&shared.stored, json.base64())
            case "mostShared": set(&shared.most, json.number())
            case "range": set(&body.range, WireRangeResult(&json))
            default: false
            }
        }
        guard isRead, json.isAtEnd, let job = names.job, let step = names.step,
            let run = names.run, let index = counts.index, let attempt = counts.attempt,
            let epoch = counts.epoch
        else { return nil }
        self.job = job
        self.step = step
        plan = names.plan
        self.index = index
        self.attempt = attempt
        self.epoch = epoch
        self.run = run
        bytes = body.bytes
        alignedBytes = aligned.bytes
        alignment = aligned.to
        stored = shared.stored
        mostShared = shared.most
        range = body.range
    }
}

extension WireEvent {
    /// The event as JSON, nil where it has fields that are rare.
    var plainText: [UInt8]? {
        guard planned == nil, task == nil, failures == nil, afterMilliseconds == nil,
            outcome == nil, error == nil
        else { return nil }
        var json = JSONWriter(capacity: 150 + (range?.plainSize ?? 0))
        json.begin()
        json.field("job", job)
        json.field("index", index)
        range?.write(to: &json)
        json.end()
        return json.text
    }

    /// Reads what ``plainText`` writes; nil for all else.
    init?(plain text: [UInt8]) {
        var found: (job: String?, index: Int?, range: WireRangeResult?)
        var json = PlainJSON(text)
        let isRead = json.object { json, name in
            switch name {
            case "job": set(&found.job, json.string())
            case "index": set(&found.index, json.number())
            case "range": set(&found.range, WireRangeResult(&json))
            default: false
            }
        }
        guard isRead, json.isAtEnd, let job = found.job else { return nil }
        self.job = job
        index = found.index
        range = found.range
    }
}

extension WireRangeResult {
    /// About how many bytes it takes as JSON.
    var plainSize: Int {
        let binary = (digests?.count ?? 0) + (stored?.count ?? 0)
        return 150 + (map?.utf8.count ?? 0) + (blocks?.utf8.count ?? 0) + binary * 4 / 3
    }

    /// Writes the field `range`.
    func write(to json: inout JSONWriter) {
        json.name("range")
        json.begin()
        json.field("start", start)
        json.field("length", length)
        json.field("data", data)
        json.field("reservation", reservation)
        json.field("map", map)
        json.field("stored", base64: stored)
        json.field("blocks", blocks)
        json.field("digests", base64: digests)
        json.field("mismatch", mismatch)
        json.end()
    }

    init?(_ json: inout PlainJSON) {
        var place: (start: UInt64?, length: UInt64?, data: UInt64?, reservation: UInt64?)
        var content: (map: String?, blocks: String?, digests: Data?, mismatch: UInt64?)
        var lengths: Data?
        let isRead = json.object { json, name in
            switch name {
            case "start": set(&place.start, json.number())
            case "length": set(&place.length, json.number())
            case "data": set(&place.data, json.number())
            case "reservation": set(&place.reservation, json.number())
            case "map": set(&content.map, json.string())
            case "stored": set(&lengths, json.base64())
            case "blocks": set(&content.blocks, json.string())
            case "digests": set(&content.digests, json.base64())
            case "mismatch": set(&content.mismatch, json.number())
            default: false
            }
        }
        guard isRead, let start = place.start, let length = place.length, let data = place.data
        else { return nil }
        self.start = start
        self.length = length
        self.data = data
        reservation = place.reservation
        map = content.map
        stored = lengths
        blocks = content.blocks
        digests = content.digests
        mismatch = content.mismatch
    }
}

/// Notes a value that was read; says whether there is one.
private func set<Value>(_ place: inout Value?, _ value: Value?) -> Bool {
    place = value
    return value != nil
}
