// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// A real Apache Kafka on the loopback address, made by `deploy/local-kafka` in a temporary directory. It ends with the
/// object, and with the test process however that ends.
package final class KafkaCluster: Sendable {
    private static let script = "\(SharedFiles.repository)/deploy/local-kafka"
    private static let all = Mutex<KafkaCluster?>(nil)
    private static let nextPrefix = Atomic(0)

    /// Why no cluster can be had, nil where one can.
    package static let unavailable: String? = {
        guard Tool.isInstalled("java") else { return "no Java" }
        let home = environmentVariable("KAFKA_HOME") ?? SharedFiles.path("kafka")
        guard let home, unsafe access("\(home)/libs", R_OK) == 0 else {
            return
                "no Kafka: KAFKA_HOME is not set, and there is no shared/kafka beside the project"
        }
        return nil
    }()

    /// Whether a cluster can be had.
    package static var isAvailable: Bool { unavailable == nil }

    /// What to say of tests that are skipped without one.
    package static var reason: String { unavailable ?? "" }

    private let directory: TemporaryDirectory
    /// `HOST:PORT,…` of the listener without a password.
    package let brokers: String

    /// Starts a cluster of 1 or 3 nodes. With `isSecure` it has a listener with TLS and a password too. `settings` are
    /// lines for server.properties.
    package init(nodes: Int = 1, isSecure: Bool = false, settings: [String] = []) throws {
        directory = try TemporaryDirectory()
        let started = try Tool.run(
            [Self.script, "start", directory.file("kafka"), String(nodes)],
            environment: [
                "KAFKA_OWNER": String(getpid()), "KAFKA_SECURE": isSecure ? "1" : "",
                "KAFKA_SETTINGS": settings.joined(separator: "\n"),
            ],
            limitSeconds: 300
        )
        guard started.succeeded else { throw SupportError(started.error) }
        brokers = String(started.output.prefix { $0 != "\n" })
    }

    deinit {
        for node in 1...3 { _ = try? act("kill", node) }  // Nodes that are not there refuse.
    }

    /// The cluster of one node that all tests share which do not hurt it. Each takes a ``freshPrefix()``.
    package static func shared() throws -> KafkaCluster {
        try all.withLock { cluster in
            if let cluster { return cluster }
            let made = try KafkaCluster()
            cluster = made
            return made
        }
    }

    /// A prefix for topics and groups that no other test has.
    package static func freshPrefix() -> String {
        "t\(nextPrefix.add(1, ordering: .relaxed).newValue)."
    }

    /// `HOST:PORT,…` of the listener with TLS (authority in ``authority``), mechanism PLAIN, user `fleet`, password `fleet-secret`.
    package func secureBrokers() throws -> String {
        String(
            try Tool.check([Self.script, "address", directory.file("kafka"), "secure"])
                .prefix { $0 != "\n" }
        )
    }

    /// The certificate of the authority that signed the nodes' certificates.
    package var authority: String { directory.file("kafka/ca.crt") }

    /// Ends a node by SIGKILL.
    package func kill(_ node: Int = 1) throws { try act("kill", node) }

    /// Starts an ended node again, where it was.
    package func resume(_ node: Int = 1) throws { try act("resume", node) }

    /// Stops a node by SIGSTOP.
    package func freeze(_ node: Int = 1) throws { try act("freeze", node) }

    /// Lets a stopped node go on.
    package func thaw(_ node: Int = 1) throws { try act("thaw", node) }

    private func act(_ command: String, _ node: Int) throws {
        try Tool.check(
            [Self.script, command, directory.file("kafka"), String(node)],
            limitSeconds: 300
        )
    }
}
