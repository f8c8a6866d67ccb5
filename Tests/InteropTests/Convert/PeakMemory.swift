// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import TestSupport
internal import Testing

/// How much memory a command takes.
enum PeakMemory {
    // getrusage(2) keeps the largest resident set of the children that have ended.
    private static let script = """
        import resource, subprocess, sys
        status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
        print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
        """

    /// The largest resident set of a command that must succeed, in MiB.
    static func mebibytes(_ command: [String]) throws -> Int {
        let output = try Tool.check(["python3", "-c", script] + command, limitSeconds: 120)
        let words = output.split { $0 == " " || $0 == "\n" }.compactMap { Int($0) }
        try #require(words.count == 2)
        #expect(words[0] == 0, "\(command)")
        return words[1]
    }
}
