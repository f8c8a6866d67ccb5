// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import Fleet
internal import Glibc
internal import Synchronization

/// Turns SIGINT, SIGTERM and SIGHUP into a request to stop, which the running job looks at once a chunk. The second
/// signal ends the process at once, without clean-up.
final class StopSignals: Sendable {
    /// What the jobs look at.
    let token = CancelToken()
    private let first = Atomic<Int32>(0)

    /// The signal that asked to stop; nil while none has.
    var received: Int32? {
        let signal = first.load(ordering: .acquiring)
        return signal == 0 ? nil : signal
    }

    /// Begins to listen. Called once, on the main thread, before any other thread is started: they inherit its
    /// signal mask, and the signals then reach the listening thread alone. Fails with `resource` where there is no room for it.
    static func listen() throws(DrayError) -> StopSignals {
        var set = stopSet()
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        let signals = StopSignals()
        // Retained for the thread, which lives as long as the process does.
        let context = unsafe Unmanaged.passRetained(signals).toOpaque()
        try unsafe startListening(context)
        return signals
    }

    /// What `signal` is called in messages.
    static func name(of signal: Int32) -> String {
        switch signal {
        case SIGHUP: "SIGHUP"
        case SIGINT: "SIGINT"
        default: "SIGTERM"
        }
    }

    /// Notes `signal`: the first asks to stop, the second ends the process.
    fileprivate func receive(_ signal: Int32) {
        let (isFirst, _) = first.compareExchange(
            expected: 0,
            desired: signal,
            ordering: .acquiringAndReleasing
        )
        guard isFirst else { _exit(ExitCode.stopped(by: signal)) }
        token.cancel()
    }
}

/// SIGINT and SIGTERM, and SIGHUP unless it was ignored when the program began, as nohup(1) has it.
private func stopSet() -> sigset_t {
    var set = sigset_t()
    unsafe sigemptyset(&set)
    if !ignoresHangUp() { unsafe sigaddset(&set, SIGHUP) }
    unsafe sigaddset(&set, SIGINT)
    unsafe sigaddset(&set, SIGTERM)
    return set
}

private func ignoresHangUp() -> Bool {
    var action = sigaction()
    guard unsafe sigaction(SIGHUP, nil, &action) == 0 else { return false }
    // SIG_IGN is the address 1, which Swift does not import.
    return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
}

private func startListening(_ context: UnsafeMutableRawPointer) throws(DrayError) {
    var thread = pthread_t()
    let result = unsafe pthread_create(&thread, nil, waitForSignals, context)
    guard result != 0 else { return }
    throw DrayError(.resource, "cannot start the thread that waits for signals", errno: result)
}

/// The listening thread's work; `context` is the ``StopSignals``.
private func waitForSignals(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    let signals = unsafe Unmanaged<StopSignals>.fromOpaque(context).takeUnretainedValue()
    var set = stopSet()
    while true {
        var signal: Int32 = 0
        guard unsafe sigwait(&set, &signal) == 0 else { continue }
        signals.receive(signal)
    }
}
