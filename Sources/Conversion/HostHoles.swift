// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import DiskImage
internal import Storage
internal import Synchronization

/// Finds out which data of an image its file has only as a hole: such data reads as zeros, and need not be read. An image with
/// preallocated metadata has a place for every cluster and payload in few.
///
/// It asks the file system, which costs two system calls, so it stops where that does not pay: where the holes that
/// it finds are short.
final class HostHoles: Sendable {
    /// Shorter runs are not asked for, and not worth having been asked for.
    static let shortest: UInt64 = 64 << 10
    /// How many questions there are before it is judged whether they pay.
    static let questionsAtLeast = 256

    private let questions = Atomic<Int>(0)
    private let bytesFound = Atomic<UInt64>(0)

    /// How often the file system may have been asked.
    var questionCount: Int { questions.load(ordering: .relaxed) }

    /// The beginning of `extent` that is in one state in the file, too.
    func refine(_ extent: Extent, of layer: any ImageDriver) throws(DrayError) -> Extent {
        // A raw image's map is the file's already.
        guard case .data(let storage, let host) = extent.place, layer.format != .raw,
            extent.range.length >= Self.shortest, isWorthwhile
        else { return extent }
        let run = try storage.extent(at: host, limit: extent.range.length)
        questions.add(1, ordering: .relaxed)
        if !run.isData { bytesFound.add(run.length, ordering: .relaxed) }
        return Extent(
            range: GuestRange(extent.range.start, length: run.length),
            depth: extent.depth,
            place: run.isData ? extent.place : .zero(storage, host)
        )
    }

    private var isWorthwhile: Bool {
        let questions = questions.load(ordering: .relaxed)
        return questions < Self.questionsAtLeast
            || bytesFound.load(ordering: .relaxed) / UInt64(questions) >= Self.shortest
    }
}
