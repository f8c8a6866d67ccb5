// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Rows that the commands of a fleet share. Each is also a setting: an environment variable or a line of the settings' file
/// stands in for it.
extension OptionSpec {
    /// `-b`: where Kafka is.
    package static let brokers = OptionSpec(
        "b",
        "brokers",
        value: "HOST:PORT,…",
        "Kafka's bootstrap brokers. Also DRAY_BROKERS."
    )

    /// `--prefix`: which fleet.
    package static let prefix = OptionSpec(
        nil,
        "prefix",
        value: "PREFIX",
        "What the names of the fleet's topics and groups begin with; dray. by default. Also DRAY_PREFIX."
    )

    /// `--kafka`: properties of librdkafka.
    package static let kafka = OptionSpec(
        nil,
        "kafka",
        value: "PROPERTY=VALUE,…",
        isRepeatable: true,
        "Properties of librdkafka, such as security.protocol=SASL_SSL; those that the delivery rules depend on are refused. "
            + "PROPERTY.file=PATH reads the value of a secret from a file. May be repeated. Also DRAY_KAFKA."
    )

    /// `--config`: the settings' file.
    package static let config = OptionSpec(
        nil,
        "config",
        value: "FILE",
        "Read settings from FILE, a line 'NAME = VALUE' each, NAME being a long option; flags and environment go first. "
            + "/etc/dray/dray.conf by default, if it is there. Also DRAY_CONFIG."
    )

    /// `--log-format`: how log lines are written.
    package static let logFormat = OptionSpec(
        nil,
        "log-format",
        value: "FORMAT",
        choices: ["logfmt", "json"],
        "How log lines are written to standard error: logfmt (the default) or json. Also DRAY_LOG_FORMAT."
    )

    /// `--log-level`: which log lines are written.
    package static let logLevel = OptionSpec(
        nil,
        "log-level",
        value: "LEVEL",
        choices: ["debug", "info", "warning", "error"],
        "The least level of log lines; info by default. Also DRAY_LOG_LEVEL."
    )

    /// `--output` of the commands that show a fleet.
    package static let fleetOutput = OptionSpec(
        nil,
        "output",
        value: "STYLE",
        choices: ["human", "json"],
        "How the answer is written: human (the default) or json, with the fields of docs/protocol.md."
    )

    /// The rows by which a command finds its fleet.
    static let connection: [OptionSpec] = [.brokers, .prefix, .kafka, .config]
}

extension ExitCodeSpec {
    /// The codes of the commands that steer a fleet.
    static let fleet =
        [
            ExitCodeSpec(0, "success"),
            ExitCodeSpec(
                1,
                "Kafka or the system said no: no broker answers, access denied, I/O error"
            ),
            ExitCodeSpec(
                2,
                "the command line or a setting is wrong, or there is no such job or topic"
            ),
            ExitCodeSpec(4, "the fleet is of a version that this command does not know"),
            ExitCodeSpec(5, "refused: the setting would break the delivery rules"),
        ] + always

    /// The codes of the commands that follow a job to its end.
    static let follow =
        common.filter { $0.code < 70 } + [
            ExitCodeSpec(7, "the job was cancelled")
        ] + always
}
