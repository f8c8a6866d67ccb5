// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CommandTable
internal import Fleet
internal import Glibc
internal import KafkaLog
internal import TaskLog

/// How a command reaches its fleet.
struct FleetConnection {
    /// What its log is reached by.
    let kafka: KafkaSettings

    /// The connection that the settings describe, of a client called `role`.
    init(_ settings: Settings, role: String) throws {
        guard let brokers = settings.value(.brokers) else {
            throw UsageError("no brokers: give -b HOST:PORT or set DRAY_BROKERS")
        }
        let properties = try KeyValueList(
            settings.values(.kafka),
            for: "--kafka",
            mayHoldSecrets: true
        )
        kafka = try KafkaSettings(
            brokers: brokers,
            prefix: settings.value(.prefix) ?? "dray.",
            clientName: "dray-\(role)-\(Self.host)-\(getpid())",
            properties: Self.standing(role) + properties.entries.map { ($0.key, $0.value) }
        )
    }

    /// A role never gives a record up: it waits for the brokers as long as it lives. A person would rather be told.
    private static func standing(_ role: String) -> [(name: String, value: String)] {
        role == "coordinator" || role == "worker" ? [("message.timeout.ms", "0")] : []
    }

    /// Runs `body` with a client of the fleet.
    static func withClient<Value>(
        _ arguments: ParsedArguments,
        _ body: (FleetClient) throws -> Value
    ) throws -> Value {
        let connection = try FleetConnection(Settings(arguments), role: "client")
        let log = try KafkaLog(connection.kafka, onWaiting: StandardError.report)
        defer { log.close() }
        return try body(try FleetClient(log: log))
    }

    /// A name that no other process ever had: host, process id, and a random part.
    static var uniqueName: String {
        "\(host)-\(getpid())-\(String(UInt32.random(in: .min ... .max), radix: 36))"
    }

    /// This machine's name.
    private static var host: String {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&name, name.count - 1) == 0 else { return "host" }
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
