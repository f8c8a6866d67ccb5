// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import TaskLog

/// What a worker's slots have to say to the thread that talks to the log.
final class WorkerInbox: Sendable {
    private let events = Mutex<[WorkerEvent]>([])
    private let port: any LogPort

    init(port: any LogPort) { self.port = port }

    func post(_ event: WorkerEvent) {
        events.withLock { $0.append(event) }
        port.wake()
    }

    func take() -> [WorkerEvent] {
        events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}
