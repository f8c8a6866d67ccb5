// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// A program that was started: wait for it, or send it a signal. One that nobody waited for is killed with its object.
package final class RunningTool: Sendable {
    /// The process's number.
    package let processID: Int32
    private let command: [String]
    private let outputEnd: Int32
    private let errorEnd: Int32
    private let isReaped = Mutex(false)

    /// Held from making pipes to starting the program, so that no other child inherits their ends and keeps them open.
    private static let starting = Mutex<Void>(())

    /// Starts `command` with nothing on its standard input; `environment` is added to ours.
    package init(_ command: [String], environment: [String: String] = [:]) throws {
        self.command = command
        let started = try Self.starting.withLock { _ in try Self.start(command, environment) }
        processID = started.processID
        outputEnd = started.output
        errorEnd = started.error
    }

    deinit {
        kill()
        _ = reap(flags: 0)
        close(outputEnd)
        close(errorEnd)
    }

    /// Sends a signal, unless the program has been waited for already.
    package func kill(signal: Int32 = SIGKILL) {
        isReaped.withLock { if !$0 { _ = Glibc.kill(processID, signal) } }
    }

    /// Whether the program has not ended yet. Does not wait for it.
    package var isRunning: Bool {
        isReaped.withLock { reaped in
            guard !reaped else { return false }
            var info = unsafe siginfo_t()
            let flags = WEXITED | WNOHANG | WNOWAIT
            let code = unsafe waitid(P_PID, id_t(processID), &info, flags)
            return unsafe code == 0 && info.si_signo == 0
        }
    }

    /// Waits for the program's end and collects what it wrote. After `limitSeconds` it is killed, and an error thrown.
    package func wait(limitSeconds: Int = 300) throws -> Tool.Output {
        let deadline = Self.now() + Int64(limitSeconds) * 1000
        var texts: [[UInt8]] = [[], []]
        var isOpen = [true, true]
        let ends = [outputEnd, errorEnd]
        while isOpen.contains(true) {
            let left = deadline - Self.now()
            guard left > 0 else { throw stop(limitSeconds, texts) }
            var polled = zip(ends, isOpen).map { end, open in
                pollfd(fd: open ? end : -1, events: Int16(POLLIN), revents: 0)
            }
            guard unsafe poll(&polled, 2, Int32(left)) > 0 else { continue }
            for index in 0..<2 where polled[index].revents != 0 {
                isOpen[index] = Self.drain(ends[index], &texts[index])
            }
        }
        var status = reap(flags: WNOHANG)
        while status == nil {
            guard Self.now() < deadline else { throw stop(limitSeconds, texts) }
            usleep(1000)
            status = reap(flags: WNOHANG)
        }
        return Tool.Output(status: status ?? 0, outputBytes: texts[0], errorBytes: texts[1])
    }

    private func stop(_ limitSeconds: Int, _ texts: [[UInt8]]) -> SupportError {
        kill()
        _ = reap(flags: 0)
        let said = String(decoding: texts[1], as: UTF8.self)
        return SupportError("\(command) was not done after \(limitSeconds) s: \(said)")
    }

    /// The exit status (or minus the signal) if the program has ended.
    private func reap(flags: Int32) -> Int32? {
        isReaped.withLock { reaped in
            guard !reaped else { return nil }
            var raw: Int32 = 0
            guard unsafe waitpid(processID, &raw, flags) == processID else { return nil }
            reaped = true
            let signal = raw & 0x7F
            return signal == 0 ? (raw >> 8) & 0xFF : -signal
        }
    }

    private static func drain(_ end: Int32, _ text: inout [UInt8]) -> Bool {
        var space = [UInt8](repeating: 0, count: 65536)
        let count = unsafe read(end, &space, space.count)
        guard count > 0 else { return count < 0 && (errno == EINTR || errno == EAGAIN) }
        text += space[0..<count]
        return true
    }

    private static func now() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    private static func pipeEnds() throws -> [Int32] {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw SupportError("no pipe: \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return ends
    }

    private static func start(_ command: [String], _ environment: [String: String]) throws
        -> (processID: Int32, output: Int32, error: Int32)
    {
        let output = try pipeEnds()
        let error = try pipeEnds()
        defer {
            close(output[1])
            close(error[1])
        }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output[1], 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, error[1], 2)
        let result = try unsafe withCStrings(command) { arguments in
            try unsafe withCStrings(mergedEnvironment(environment)) { variables in
                var number: pid_t = 0
                let code = unsafe posix_spawnp(
                    &number,
                    command[0],
                    &actions,
                    nil,
                    arguments,
                    variables
                )
                guard code == 0 else { throw SupportError("cannot start \(command[0]): \(code)") }
                return number
            }
        }
        return (result, output[0], error[0])
    }

    private static func mergedEnvironment(_ added: [String: String]) -> [String] {
        var all: [String] = []
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            let name = String(text.prefix { $0 != "=" })
            if added[name] == nil { all.append(text) }
            unsafe next += 1
        }
        return all + added.map { "\($0)=\($1)" }
    }

    /// Lends `strings` as the null-terminated vector that exec(2) takes.
    private static func withCStrings<R>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws -> R
    ) throws -> R {
        var copies = unsafe strings.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe copies.indices { unsafe free(copies[index]) } }
        return try unsafe copies.withUnsafeMutableBufferPointer { vector in
            guard let start = vector.baseAddress else { throw SupportError("no memory") }
            return try unsafe body(start)
        }
    }
}
