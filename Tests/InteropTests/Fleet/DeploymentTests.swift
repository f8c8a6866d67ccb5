// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import FoundationEssentials
internal import TestSupport
internal import Testing

/// What deploy/ holds for systems that tests do not run on: read by the programs that would.
@Suite struct DeploymentTests {
    private static let deploy = SharedFiles.repository + "/deploy"

    @Test(
        .enabled(if: Tool.isInstalled("systemd-analyze"), "no systemd-analyze"),
        arguments: ["dray-coordinator", "dray-worker"]
    )
    func `systemd takes the unit, and the command takes its command line`(name: String) throws {
        let unit = try String(
            decoding: Data(contentsOf: URL(filePath: "\(Self.deploy)/systemd/\(name).service")),
            as: UTF8.self
        )
        let directory = try TemporaryDirectory()
        let here = unit.replacing("/usr/local/bin/dray", with: DrayBinary.path)
        try Data(here.utf8).write(to: URL(filePath: directory.file("\(name).service")))
        let verified = try Tool.run([
            "systemd-analyze", "verify", "--man=no", directory.file("\(name).service"),
        ])
        #expect(verified.succeeded && verified.error.isEmpty, "\(verified.error)")
        let command = try #require(unit.split(separator: "\n").first { $0.hasPrefix("ExecStart=") })
        let words = command.split(separator: " ").dropFirst().map(String.init)
        // It gets as far as missing its brokers.
        let run = try DrayBinary.run(
            words + (name.hasSuffix("worker") ? ["--store", "a=/tmp"] : [])
        )
        #expect(run.status == 2 && run.error.contains("no brokers"), "\(run.error)")
    }

    @Test(.enabled(if: Tool.isInstalled("docker-compose"), "no docker-compose"))
    func `docker-compose takes the compose file, and the command its command lines`() throws {
        let file = "\(Self.deploy)/compose.yaml"
        try Tool.check(["docker-compose", "-f", file, "config", "-q"])
        let text = try Tool.check(["docker-compose", "-f", file, "config"])
        var count = 0
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
        for (index, line) in lines.enumerated() where line == "command:" {
            let words = lines[(index + 1)...].prefix { $0.hasPrefix("- ") }.map {
                String($0.dropFirst(2)).replacing("'", with: "")
            }
            let run = try DrayBinary.run(words + ["--help"])
            #expect(run.succeeded, "\(words): \(run.error)")
            count += 1
        }
        #expect(count == 3)
    }
}
