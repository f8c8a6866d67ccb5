// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The rows of `dray jobs`, `dray watch` and `dray cancel`.
package enum JobsTable {
    /// `--state`: which jobs.
    package static let state = OptionSpec(
        nil,
        "state",
        value: "STATE",
        choices: ["running", "failing", "cancelling", "finished", "failed", "cancelled"],
        isRepeatable: true,
        "List only jobs in this state. May be repeated."
    )
    private static let job = ArgumentSpec("JOB")

    /// `dray jobs`.
    package static let jobs = CommandSpec(
        name: "jobs",
        summary: "list the jobs of a fleet",
        description: [
            "Lists the jobs that the log knows, oldest first: those that run, and those that ended within the coordinators' "
                + "--keep-jobs."
        ],
        arguments: [],
        options: [state, .fleetOutput] + OptionSpec.connection,
        examples: [
            CommandSpec.Example(
                "The jobs that failed, with the reason",
                "dray jobs -b kafka1:9092 --state failed --output json | jq -r '.[] | .job.id + \" \" + .error.message'"
            )
        ],
        exitCodes: ExitCodeSpec.fleet
    )

    /// `dray watch`.
    package static let watch = CommandSpec(
        name: "watch",
        summary: "follow a job to its end",
        description: [
            "Prints what happens to a job, from its beginning to its end: plan, progress, failures that are tried again, end. With "
                + "--output json, one event of 'events' a line. Exits as the local command would have."
        ],
        arguments: [job],
        options: [.fleetOutput, .progress, .progressStyle, .quiet] + OptionSpec.connection,
        examples: [
            CommandSpec.Example("Follow a job", "dray watch -b kafka1:9092 19abc")
        ],
        exitCodes: ExitCodeSpec.follow
    )

    /// `dray cancel`.
    package static let cancel = CommandSpec(
        name: "cancel",
        summary: "cancel a job",
        description: [
            "Asks the job's coordinator to end it: its tasks stop, and what it had written is removed. Returns when Kafka has the "
                + "request; 'dray watch' shows the end. A job that has ended stays as it is."
        ],
        arguments: [job],
        options: OptionSpec.connection,
        examples: [CommandSpec.Example("Cancel a job", "dray cancel -b kafka1:9092 19abc")],
        exitCodes: ExitCodeSpec.fleet
    )
}

/// The rows of `dray deadletters`.
package enum DeadLettersTable {
    /// `dray deadletters`.
    package static let list = CommandSpec(
        name: "deadletters",
        summary: "list what a fleet could not do",
        description: [
            "Lists the tasks that were given up and the records that could not be read, oldest first, each with its error. "
                + "'dray deadletters retry ID' submits a letter's job again."
        ],
        arguments: [],
        options: [.fleetOutput] + OptionSpec.connection,
        examples: [
            CommandSpec.Example("What went wrong", "dray deadletters -b kafka1:9092")
        ],
        exitCodes: ExitCodeSpec.fleet
    )

    /// `dray deadletters retry`.
    package static let retry = CommandSpec(
        name: "deadletters retry",
        summary: "submit the job of a dead letter again",
        description: [
            "Submits the whole job of the letter again, as a new job, and prints its id, which is made of the old one's and the "
                + "letter's: repeating the command starts no second one."
        ],
        arguments: [ArgumentSpec("ID")],
        options: OptionSpec.connection,
        examples: [
            CommandSpec.Example("Try again", "dray deadletters retry -b kafka1:9092 17")
        ],
        exitCodes: ExitCodeSpec.fleet
    )
}

/// The rows of `dray topics`.
package enum TopicsTable {
    /// `--partitions`: how many partitions the jobs' topics get.
    package static let partitions = OptionSpec(
        nil,
        "partitions",
        value: "N",
        "Partitions of requests, jobs, results and events: the most coordinators that work at once; 12 by default. "
            + "Cannot be changed later."
    )
    /// `--task-partitions`: how many partitions the topics of tasks get.
    package static let taskPartitions = OptionSpec(
        nil,
        "task-partitions",
        value: "N",
        "Partitions of each topic of tasks: at least twice the number of workers; 24 by default."
    )
    /// `--replication`: how many copies.
    package static let replication = OptionSpec(
        nil,
        "replication",
        value: "N",
        "Copies of each record; three by default, or as many as there are brokers."
    )

    /// `dray topics create`.
    package static let create = CommandSpec(
        name: "topics create",
        summary: "create the topics of a fleet",
        description: [
            "Creates the topics that a fleet needs, with their partitions and policies. Topics that exist stay as they are; what is "
                + "wrong with them is printed as 'dray topics check' would."
        ],
        arguments: [],
        options: [partitions, taskPartitions, replication] + OptionSpec.connection,
        examples: [
            CommandSpec.Example("Create them", "dray topics create -b kafka1:9092")
        ],
        exitCodes: ExitCodeSpec.fleet
    )

    /// `dray topics check`.
    package static let check = CommandSpec(
        name: "topics check",
        summary: "verify the topics of a fleet",
        description: [
            "Compares the topics that exist with what a fleet needs and prints a line for each difference, with what to do about "
                + "it. Exits with 2 where something is wrong."
        ],
        arguments: [],
        options: OptionSpec.connection,
        examples: [CommandSpec.Example("Verify them", "dray topics check -b kafka1:9092")],
        exitCodes: ExitCodeSpec.fleet
    )
}
