// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable

/// The commands that run a fleet or talk to one.
enum FleetCommands {
    static func run(_ arguments: ParsedArguments) throws -> Int32 {
        switch arguments.command.name {
        case CoordinatorTable.command.name: try CoordinatorCommand.run(arguments)
        case WorkerTable.command.name: try WorkerCommand.run(arguments)
        case SubmitTable.command.name: try SubmitCommand.runFile(arguments)
        case SubmitTable.convert.name, SubmitTable.checksum.name: try SubmitCommand.run(arguments)
        case JobsTable.jobs.name: try JobsCommand.run(arguments)
        case JobsTable.watch.name: try WatchCommand.run(arguments)
        case JobsTable.cancel.name: try CancelCommand.run(arguments)
        case DeadLettersTable.list.name: try DeadLettersCommand.list(arguments)
        case DeadLettersTable.retry.name: try DeadLettersCommand.retry(arguments)
        case TopicsTable.create.name: try TopicsCommand.create(arguments)
        case TopicsTable.check.name: try TopicsCommand.check(arguments)
        default: throw DrayError(.bug, "the command has no implementation")
        }
    }
}
