// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Glibc
internal import Storage

/// The program: finds the command, has its table read the words, runs it, and turns errors into messages and exit codes.
enum CommandLineProgram {
    /// Runs the command line `words` (without the program's name); the exit code.
    static func run(_ words: [String]) -> Int32 {
        StandardStream.occupyClosed()
        // A reader that goes away is an error of write(2), which says so.
        _ = signal(SIGPIPE, SIG_IGN)
        // So is a file that grows beyond what the process may write.
        _ = signal(SIGXFSZ, SIG_IGN)
        OpenFileLimit.raise()
        FreedMemory.returnsAtOnce()
        FreedMemory.fitsAddressSpace()
        guard let name = words.first, !name.hasPrefix("-") else {
            return guarded(Program.root) { try root(words) }
        }
        guard let (spec, rest) = Program.command(in: words) else {
            StandardError.report("unknown command '\(name.escapingControls)'")
            StandardError.write("Try 'dray --help' for a list of commands.\n")
            return ExitCode.usage
        }
        return guarded(spec) {
            let arguments = try spec.parse(rest)
            guard !arguments.has(.help) else {
                try StandardOutput.write(spec.helpText)
                return ExitCode.success
            }
            if let text = try arguments.creationHelp() {
                try StandardOutput.write(text)
                return ExitCode.success
            }
            try arguments.checkCount()
            return try dispatch(arguments)
        }
    }

    /// `dray` without a command: `--help`, `--version`, `--man-page [COMMAND]`.
    private static func root(_ words: [String]) throws -> Int32 {
        let arguments = try Program.root.parse(words)
        if arguments.has(Program.versionOption) {
            try StandardOutput.write("dray \(Program.version)\n")
        } else if arguments.has(Program.manPage) {
            try StandardOutput.write(manPage(of: arguments.positionals))
        } else if arguments.has(.help) {
            try StandardOutput.write(Program.root.helpText)
        } else {
            throw UsageError("missing command")
        }
        return ExitCode.success
    }

    private static func manPage(of words: [String]) throws(UsageError) -> String {
        guard !words.isEmpty else { return Program.root.manPage }
        guard let (spec, rest) = Program.command(in: words), rest.isEmpty else {
            throw UsageError("unknown command '\(words.joined(separator: " "))'")
        }
        return spec.manPage
    }

    private static func dispatch(_ arguments: ParsedArguments) throws -> Int32 {
        switch arguments.command.name {
        case ConvertTable.command.name: try ConvertCommand.run(arguments)
        case ChecksumTable.command.name: try ChecksumCommand.run(arguments)
        case CompareTable.command.name: try CompareCommand.run(arguments)
        case InfoTable.command.name: try InfoCommand.run(arguments)
        case MapTable.command.name: try MapCommand.run(arguments)
        case CheckTable.command.name: try CheckCommand.run(arguments)
        case MeasureTable.command.name: try MeasureCommand.run(arguments)
        case CompletionTable.command.name: try CompletionCommand.run(arguments)
        default: try FleetCommands.run(arguments)
        }
    }

    /// Runs `body` and turns what it throws into a message and the command's exit code.
    private static func guarded(_ spec: CommandSpec, _ body: () throws -> Int32) -> Int32 {
        do {
            try checkEncoding()
            return try body()
        } catch let error as UsageError {
            StandardError.report(prefix(spec) + error.message.escapingControls)
            StandardError.write("Try '\(spec.invocation) --help' for more information.\n")
            return ExitCode.ofUsage(spec)
        } catch let error as DrayError {
            StandardError.report(prefix(spec) + error.description)
            return ExitCode.of(error.kind, in: spec)
        } catch let error as JobService.Stopped {
            let name = StopSignals.name(of: error.signal)
            StandardError.report(prefix(spec) + "stopped by " + name)
            return ExitCode.stopped(by: error.signal)
        } catch {
            StandardError.report(prefix(spec) + "unexpected error: \(error)")
            return ExitCode.of(.bug)
        }
    }

    /// Refuses a command line that is not UTF-8: read with its bad bytes replaced, it would name other files.
    private static func checkEncoding() throws(UsageError) {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let word = unsafe CommandLine.unsafeArgv[index] else { return }
            guard unsafe String(validatingCString: word) == nil else { continue }
            throw UsageError(
                "'\(unsafe String(cString: word))' is not UTF-8, as all names have to be"
            )
        }
    }

    private static func prefix(_ spec: CommandSpec) -> String {
        spec.name.isEmpty ? "" : spec.name + ": "
    }
}
