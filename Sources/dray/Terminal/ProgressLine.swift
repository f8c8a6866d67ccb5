// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// How far a job was at a time.
struct ProgressSample {
    /// Bytes of data done.
    let done: UInt64
    /// Bytes of data in all.
    let total: UInt64
    /// When.
    let time: ContinuousClock.Instant
}

/// One state of a job in words: what it did since it began, and how long it will take at that rate.
struct ProgressLine {
    private let sample: ProgressSample
    /// Bytes a second; nil before there is anything to tell it from.
    private let rate: Double?

    /// The state at `sample` of a job whose first sample was `first`: what was done by then, an earlier run did.
    init(_ sample: ProgressSample, since first: ProgressSample) {
        self.sample = sample
        let elapsed = (sample.time - first.time) / .seconds(1)
        let bytes = Double(sample.done - min(first.done, sample.done))
        rate = elapsed > 0 && bytes > 0 ? bytes / elapsed : nil
    }

    private var share: Double {
        sample.total == 0 ? 1 : Double(sample.done) / Double(sample.total)
    }

    /// Seconds that are left; nil while the rate is not known.
    private var secondsLeft: UInt64? {
        rate.map { UInt64((Double(sample.total - sample.done) / $0).rounded(.up)) }
    }

    /// The share in per cent with two digits behind the point.
    var percent: String { FixedPoint.text(share * 100, decimals: 2) }

    /// One line for a terminal of `width` columns: share, bar, bytes done and to do, rate, time left.
    func bar(width: Int) -> String {
        let head = Self.right("\(Int(share * 100))%", 4)
        var tail = "\(HumanSize.text(sample.done)) of \(HumanSize.text(sample.total))"
        if let rate { tail += "  \(HumanSize.text(UInt64(rate)))/s" }
        if let secondsLeft, sample.done < sample.total {
            tail += "  \(Self.clock(secondsLeft)) left"
        }
        let room = width - head.count - tail.count - 6
        guard room >= 10 else { return String((head + "  " + tail).prefix(max(width - 1, 0))) }
        let length = min(room, 40)
        let filled = Int(share * Double(length))
        let bar =
            String(repeating: "=", count: filled) + String(repeating: " ", count: length - filled)
        return "\(head) [\(bar)] \(tail)"
    }

    /// One JSON object.
    var json: String {
        var fields = [
            "\"event\": \"progress\"", "\"done\": \(sample.done)", "\"total\": \(sample.total)",
            "\"percent\": \(percent)",
        ]
        if let rate { fields.append("\"bytes-per-second\": \(UInt64(rate))") }
        if let secondsLeft { fields.append("\"seconds-left\": \(secondsLeft)") }
        return "{" + fields.joined(separator: ", ") + "}"
    }

    /// `4:05`, `1:02:03`.
    private static func clock(_ seconds: UInt64) -> String {
        func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let minutes = seconds / 60
        guard minutes >= 60 else { return "\(minutes):\(two(seconds % 60))" }
        return "\(minutes / 60):\(two(minutes % 60)):\(two(seconds % 60))"
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
