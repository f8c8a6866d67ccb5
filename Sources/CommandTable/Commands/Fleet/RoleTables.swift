// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The rows of `dray coordinator`.
package enum CoordinatorTable {
    /// `--window`: how many tasks may be out.
    package static let window = OptionSpec(
        nil,
        "window",
        value: "N",
        "How many tasks of a class may be out at once over all jobs: about three for each slot of all workers; 1024 by default. "
            + "Also DRAY_WINDOW."
    )
    /// `--run-lease`: how long a running task may be silent.
    package static let runLease = OptionSpec(
        nil,
        "run-lease",
        value: "SECONDS",
        "How long a running task may be silent before it is issued again elsewhere; 60 by default. Also DRAY_RUN_LEASE."
    )
    /// `--queue-lease`: how long a task may lie.
    package static let queueLease = OptionSpec(
        nil,
        "queue-lease",
        value: "SECONDS",
        "How long a task may lie unstarted before it is issued again; 120 by default. Also DRAY_QUEUE_LEASE."
    )
    /// `--attempts`: how often a failing step is tried.
    package static let attempts = OptionSpec(
        nil,
        "attempts",
        value: "N",
        "How often a step that fails with an error that may pass is run in all; 5 by default. Also DRAY_ATTEMPTS."
    )
    /// `--backoff`: the first wait after a failure.
    package static let backoff = OptionSpec(
        nil,
        "backoff",
        value: "SECONDS",
        "How long to wait after the first failure of a step; doubles each time, to 300 at most; 1 by default. "
            + "Also DRAY_BACKOFF."
    )
    /// `--deaths`: how often a task may kill its worker.
    package static let deaths = OptionSpec(
        nil,
        "deaths",
        value: "N",
        "How often a task may begin on workers that die before the task is given up as one that kills them; 3 by default. "
            + "More where workers are often killed for other reasons. Also DRAY_DEATHS."
    )
    /// `--keep-jobs`: how long ended jobs are known.
    package static let keepJobs = OptionSpec(
        nil,
        "keep-jobs",
        value: "DAYS",
        "How long an ended job stays in the list of jobs, in days; 7 by default. Also DRAY_KEEP_JOBS."
    )

    /// The command.
    package static let command = CommandSpec(
        name: "coordinator",
        summary: "run a coordinator of a fleet",
        description: [
            "Accepts jobs from Kafka, issues their tasks to the workers, judges and orders the results, retries, gives up, "
                + "seals. It opens no image and keeps nothing on disk: a coordinator that starts rebuilds its jobs from the log. "
                + "Any number may run; each job has one.",
            "Runs until SIGTERM or SIGINT. Its jobs then go on with another coordinator.",
        ],
        arguments: [],
        options: OptionSpec.connection + [
            window, runLease, queueLease, attempts, backoff, deaths, keepJobs, .logFormat,
            .logLevel,
        ],
        examples: [
            CommandSpec.Example("Run a coordinator", "dray coordinator -b kafka1:9092,kafka2:9092")
        ],
        exitCodes: ExitCodeSpec.fleet
    )
}

/// The rows of `dray worker`.
package enum WorkerTable {
    /// `--store`: where images are.
    package static let store = OptionSpec(
        nil,
        "store",
        value: "NAME=DIR",
        isRepeatable: true,
        "Images that jobs call NAME/relative/path are in DIR; nothing outside of it is opened. May be repeated. "
            + "Also DRAY_STORE, separated by commas."
    )
    /// `-m`: how many tasks at a time.
    package static let workers = OptionSpec(
        "m",
        "workers",
        value: "N",
        "Run N tasks at a time, 1 to 64. One more than there are processors by default. Also DRAY_WORKERS."
    )
    /// `--grace`: how long running tasks may go on.
    package static let grace = OptionSpec(
        nil,
        "grace",
        value: "SECONDS",
        "How long running tasks may go on after SIGTERM before they are stopped; 25 by default. Also DRAY_GRACE."
    )
    /// `--heartbeat`: how often progress is reported.
    package static let heartbeat = OptionSpec(
        nil,
        "heartbeat",
        value: "SECONDS",
        "How often a running task reports its progress, well below the coordinator's --run-lease; 15 by default. "
            + "Also DRAY_HEARTBEAT."
    )
    /// `--inject-delay`: for measurements, thus hidden.
    package static let injectDelay = OptionSpec(
        nil,
        "inject-delay",
        value: "MILLISECONDS",
        isHidden: true,
        "Make each request to storage take this long: for measurements only."
    )

    /// The command.
    package static let command = CommandSpec(
        name: "worker",
        summary: "run a worker of a fleet",
        description: [
            "Takes tasks from Kafka and runs them on the images in its stores. It keeps nothing between tasks: any number of "
                + "workers may run, on any number of hosts that see the same storage, and each may be killed at any time.",
            "Runs until SIGTERM or SIGINT; then takes no more tasks, lets the running ones end within the grace time, and leaves. "
                + "A second signal ends it at once.",
        ],
        arguments: [],
        options: OptionSpec.connection + [
            store, workers, grace, heartbeat, .logFormat, .logLevel, injectDelay,
        ],
        examples: [
            CommandSpec.Example(
                "Run a worker on the images in /srv/images, which jobs call images/…",
                "dray worker -b kafka1:9092 --store images=/srv/images"
            )
        ],
        exitCodes: ExitCodeSpec.fleet
    )
}
