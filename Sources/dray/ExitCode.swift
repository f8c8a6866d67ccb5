// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable

/// The exit codes that docs/cli.md documents.
enum ExitCode {
    static let success: Int32 = 0
    /// The command line is wrong, for every command that has no meaning of its own for 2.
    static let usage: Int32 = 2
    /// The job of a fleet that a command waited for was cancelled.
    static let jobCancelled: Int32 = 7

    /// The code for a failure of a command whose codes are Dray's own.
    static func of(_ kind: DrayError.Kind) -> Int32 {
        switch kind {
        case .resource: 1
        case .invalid: 2
        case .corrupt: 3
        case .unsupported: 4
        case .refused: 5
        case .changed: 6
        case .bug: 70
        case .cancelled: 130
        }
    }

    /// The code for a failure of the command `spec`: compare and check have qemu-img's codes, where 1 and 2 are answers.
    static func of(_ kind: DrayError.Kind, in spec: CommandSpec) -> Int32 {
        switch (spec.name, kind) {
        case (_, .bug), (_, .cancelled): of(kind)
        case (CompareTable.command.name, _): 2
        case (CheckTable.command.name, _): 1
        default: of(kind)
        }
    }

    /// The code for a wrong command line of the command `spec`.
    static func ofUsage(_ spec: CommandSpec) -> Int32 {
        of(.invalid, in: spec)
    }

    /// The code of a command that was stopped by `signal`: as a shell has it.
    static func stopped(by signal: Int32) -> Int32 { 128 + signal }
}
