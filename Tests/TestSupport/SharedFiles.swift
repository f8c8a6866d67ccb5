// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Files that tests find by walking up from where they were built.
package enum SharedFiles {
    /// The root of the repository: the directory that holds Package.swift.
    package static var repository: String {
        var path = #filePath
        for _ in 0..<3 { path = parent(of: path) }
        return path
    }

    /// The path of a file in the `shared` directory beside the repository (or above it), or nil where there is none.
    package static func path(_ relative: String) -> String? {
        var directory = repository
        while !directory.isEmpty {
            let candidate = "\(directory)/shared/\(relative)"
            if unsafe access(candidate, R_OK) == 0 { return candidate }
            directory = parent(of: directory)
        }
        return environmentVariable("DRAY_SHARED").map { "\($0)/\(relative)" }
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[..<slash])
    }
}

/// The `dray` command that was built with the tests.
package enum DrayBinary {
    /// Its path: beside the program that runs the tests.
    package static var path: String {
        let own = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { space in
            guard let start = space.baseAddress else { return CommandLine.arguments[0] }
            let count = unsafe readlink("/proc/self/exe", start, space.count - 1)
            guard count > 0 else { return CommandLine.arguments[0] }
            unsafe space[count] = 0
            return unsafe String(cString: start)
        }
        return "\(SharedFiles.parent(of: own))/dray"
    }

    /// Runs it to its end. Where it may take `processorSeconds` at most, whatever else the machine does, it is killed when it has.
    package static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        limitSeconds: Int = 300,
        processorSeconds: Int? = nil
    ) throws -> Tool.Output {
        let limit = processorSeconds.map { ["prlimit", "--cpu=\($0)"] } ?? []
        return try Tool.run(
            limit + [path] + arguments,
            environment: environment,
            limitSeconds: limitSeconds
        )
    }
}
