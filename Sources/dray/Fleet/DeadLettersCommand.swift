// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import BlockIO
internal import CommandTable
internal import Conversion
internal import Fleet
internal import TaskLog

/// `dray deadletters`: what the fleet could not do.
enum DeadLettersCommand {
    static func list(_ arguments: ParsedArguments) throws -> Int32 {
        let isJSON = try arguments.wantsJSON(.fleetOutput)
        return try FleetConnection.withClient(arguments) { client in
            let letters = try client.deadLetters()
            try StandardOutput.write(isJSON ? json(letters) : table(letters))
            return ExitCode.success
        }
    }

    static func retry(_ arguments: ParsedArguments) throws -> Int32 {
        let id = arguments.positionals[0]
        return try FleetConnection.withClient(arguments) { client in
            let letters = try client.deadLetters()
            guard let letter = letters.first(where: { String($0.record.offset) == id }) else {
                throw DrayError(.invalid, "there is no dead letter '\(id)'")
            }
            guard let task = letter.content.task else {
                throw DrayError(
                    .invalid,
                    "dead letter \(id) is a record that could not be read: it has no job"
                )
            }
            let job = NewJob(again: task.order, letter: id)
            try client.send([.submit(job.submission)])
            try StandardOutput.write(job.id + "\n")
            return ExitCode.success
        }
    }

    private static func table(_ letters: [FleetClient.Found<DeadLetter>]) -> String {
        let rows = letters.map { letter in
            let content = letter.content
            let what =
                content.task.map { task in
                    let place = task.step == .range ? "range \(task.index)" : task.step.rawValue
                    return "\(task.order.id) \(place)"
                } ?? content.source ?? "-"
            return [
                String(letter.record.offset), EventText.time(letter.record.timestamp),
                what.escapingControls, String(content.attempts), content.error.description,
            ]
        }
        return TextTable(["ID", "TIME", "WHAT", "ATTEMPTS", "ERROR"], rows).text
    }

    /// The letters, each with the id that 'retry' takes.
    private static func json(_ letters: [FleetClient.Found<DeadLetter>]) -> String {
        let lines = letters.map { letter in
            "{\"id\":\"\(letter.record.offset)\",\"time\":\"\(EventText.time(letter.record.timestamp))\",\"letter\":"
                + String(decoding: letter.record.value ?? [], as: UTF8.self) + "}"
        }
        return lines.isEmpty ? "[]\n" : "[\n" + lines.joined(separator: ",\n") + "\n]\n"
    }
}
