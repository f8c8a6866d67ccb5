// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// Runs programs of the machine.
package enum Tool {
    /// What a program left behind.
    package struct Output: Sendable, CustomStringConvertible {
        /// The exit status, or minus the signal that ended it.
        package let status: Int32
        /// Everything on its standard output.
        package let outputBytes: [UInt8]
        /// Everything on its standard error.
        package let errorBytes: [UInt8]

        /// The standard output as text.
        package var output: String { String(decoding: outputBytes, as: UTF8.self) }
        /// The standard error as text.
        package var error: String { String(decoding: errorBytes, as: UTF8.self) }
        /// For messages of failed tests.
        package var description: String { "status \(status), \(output), \(error)" }
        /// Whether it exited with status 0.
        package var succeeded: Bool { status == 0 }
    }

    /// Runs `command` to its end. Its first word is a path or is looked up in PATH. A program that is not done after
    /// `limitSeconds` is killed and an error thrown.
    package static func run(
        _ command: [String],
        environment: [String: String] = [:],
        limitSeconds: Int = 300
    ) throws -> Output {
        try RunningTool(command, environment: environment).wait(limitSeconds: limitSeconds)
    }

    /// Runs `command` to its end and throws, with what it said, unless it exits with status 0. Returns its standard output.
    @discardableResult
    package static func check(_ command: [String], limitSeconds: Int = 300) throws -> String {
        let result = try run(command, limitSeconds: limitSeconds)
        guard result.succeeded else {
            throw SupportError("\(command) ended with \(result.status): \(result.error)")
        }
        return result.output
    }

    /// Whether a program is in PATH.
    package static func isInstalled(_ name: String) -> Bool {
        let path = environmentVariable("PATH") ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains {
            unsafe access("\($0)/\(name)", X_OK) == 0
        }
    }
}
