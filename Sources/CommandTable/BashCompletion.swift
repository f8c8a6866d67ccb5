// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The completion script for bash, made from the table.
package enum BashCompletion {
    /// The script: source it, or put it where bash-completion looks (`make install` does).
    package static var script: String {
        let names = Program.commands.map(\.name).joined(separator: " ")
        var lines = [
            "# Completion of dray for bash: made by `dray completion bash`.",
            "_dray() {",
            "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}",
            "    local command=${COMP_WORDS[1]} words=",
            "    if [[ $current == = ]]; then current=; elif [[ $previous == = ]]; then",
            "        previous=${COMP_WORDS[COMP_CWORD - 2]}",
            "    fi",
            "    COMPREPLY=()",
            "    if ((COMP_CWORD == 1)); then",
            "        words='\(names) \(options(Program.root))'",
            "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")",
            "        return",
            "    fi",
            "    case $command:$previous in",
        ]
        lines += Program.commands.flatMap(valueCases)
        lines += [
            "    esac",
            "    if [[ -n $words ]]; then",
            "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")",
            "        return",
            "    fi",
            "    case $command in",
        ]
        lines += Program.commands.map {
            "    \($0.name)) words='\(arguments($0))\(options($0))' ;;"
        }
        lines += [
            "    esac",
            "    if [[ $current == -* || (COMP_CWORD -eq 2 && $words != -*) ]]; then",
            "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")",
            "    else",
            "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")",
            "    fi",
            "}",
            "complete -o filenames -F _dray dray",
        ]
        return lines.joined(separator: "\n") + "\n"
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
            let patterns = spellings.map { "\(command.name):\($0)" }.joined(separator: " | ")
            return "    \(patterns)) words='\(option.choices.joined(separator: " "))' ;;"
        }
    }
}
