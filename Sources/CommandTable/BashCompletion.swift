// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The completion script for bash, made from the table.
package enum BashCompletion {
    /// The script: source it, or put it where bash-completion looks (`make install` does).
    package static var script: String {
        let lines = head + Program.commands.flatMap(valueCases) + middle + groupCases + tail
        return lines.joined(separator: "\n") + "\n"
    }

    /// The words that follow `dray`, each once.
    private static var firstWords: [String] {
        var seen: Set<String> = []
        return Program.commands.map { words($0)[0] }.filter { seen.insert($0).inserted }
    }

    private static var head: [String] {
        let pairs = Program.commands.filter { words($0).count > 1 }.map { "'\($0.name)'" }
        return [
            "# Completion of dray for bash: made by `dray completion bash`.",
            "_dray() {",
            "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}",
            "    local command=${COMP_WORDS[1]} words=",
            "    if [[ $current == = ]]; then current=; elif [[ $previous == = ]]; then",
            "        previous=${COMP_WORDS[COMP_CWORD - 2]}",
            "    fi",
            "    COMPREPLY=()",
            "    if ((COMP_CWORD == 1)); then",
            "        words='\(firstWords.joined(separator: " ")) \(options(Program.root))'",
            "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")",
            "        return",
            "    fi",
            "    if ((COMP_CWORD > 2)); then",
            "        case \"$command ${COMP_WORDS[2]}\" in",
            "        \(pairs.joined(separator: " | "))) command+=-${COMP_WORDS[2]} ;;",
            "        esac",
            "    fi",
            "    case $command:$previous in",
        ]
    }

    private static var middle: [String] {
        [
            "    esac",
            "    if [[ -n $words ]]; then",
            "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")",
            "        return",
            "    fi",
            "    case $command in",
        ]
            + Program.commands.map {
                "    \(label($0))) words='\(second($0.name))\(arguments($0))\(options($0))' ;;"
            }
    }

    /// The branches of first words that are no command by themselves.
    private static var groupCases: [String] {
        let names = Set(Program.commands.map(\.name))
        return firstWords.filter { !names.contains($0) }.map {
            "    \($0)) words='\(second($0))' ;;"
        }
    }

    private static let tail = [
        "    esac",
        "    if [[ $current == -* || (COMP_CWORD -eq 2 && -n $words && $words != -*) ]]; then",
        "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")",
        "    else",
        "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")",
        "    fi",
        "}",
        "complete -o filenames -F _dray dray",
    ]

    private static func words(_ command: CommandSpec) -> [String] {
        command.name.split(separator: " ").map(String.init)
    }

    /// What the script calls a command: its words joined by a dash.
    private static func label(_ command: CommandSpec) -> String {
        words(command).joined(separator: "-")
    }

    /// The second words of the commands whose first is `first`, with a blank behind each.
    private static func second(_ first: String) -> String {
        Program.commands.map(words).filter { $0.count > 1 && $0[0] == first }
            .map { $0[1] + " " }.joined()
    }

    /// The words of `command`'s positional arguments, with a blank behind each.
    private static func arguments(_ command: CommandSpec) -> String {
        command.arguments.flatMap(\.choices).map { $0 + " " }.joined()
    }

    private static func options(_ command: CommandSpec) -> String {
        command.visibleOptions
            .flatMap { option in (option.short.map { ["-\($0)"] } ?? []) + ["--\(option.long)"] }
            .joined(separator: " ")
    }

    /// The branches that offer the values of options that take one of a few words.
    private static func valueCases(_ command: CommandSpec) -> [String] {
        command.visibleOptions.filter { !$0.choices.isEmpty }.map { option in
            let spellings = (option.short.map { ["-\($0)"] } ?? []) + ["--\(option.long)"]
            let patterns = spellings.map { "\(label(command)):\($0)" }.joined(separator: " | ")
            return "    \(patterns)) words='\(option.choices.joined(separator: " "))' ;;"
        }
    }
}
