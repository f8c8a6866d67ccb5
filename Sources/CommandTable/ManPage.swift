// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

extension CommandSpec {
    /// The manual page of section 1, in roff's man(7) macros.
    package var manPage: String {
        let title = invocation.replacing(" ", with: "-")
        var lines = [
            ".TH \(Roff.quoted(title.uppercased())) 1 \"\" "
                + "\(Roff.quoted("dray " + Program.version)) \"User Commands\"",
            ".SH NAME",
            "\(Roff.text(title)) \\- \(Roff.text(summary))",
            ".SH SYNOPSIS",
            Roff.text(usage),
            ".SH DESCRIPTION",
        ]
        lines.append(description.map(Roff.text).joined(separator: "\n.PP\n"))
        if name.isEmpty {
            lines.append(".SH COMMANDS")
            for command in Program.commands {
                lines += Roff.item("dray " + command.name, command.summary)
            }
        }
        lines.append(".SH OPTIONS")
        for option in visibleOptions {
            lines += Roff.item(option.spellings.joined(separator: ", "), option.help)
        }
        if !examples.isEmpty { lines.append(".SH EXAMPLES") }
        for example in examples {
            lines += [".PP", Roff.text(example.purpose) + ":", ".PP", ".nf"]
            lines += [".RS 4", Roff.text(example.line), ".RE", ".fi"]
        }
        if !exitCodes.isEmpty { lines.append(".SH EXIT STATUS") }
        for code in exitCodes { lines += Roff.item(String(code.code), code.meaning) }
        let others = ([Program.root] + Program.commands).filter { $0.name != name }
        let names = others.map { $0.invocation.replacing(" ", with: "-") + "(1)" }
        lines += [".SH SEE ALSO", Roff.text((names + ["qemu-img(1)"]).joined(separator: ", "))]
        return lines.joined(separator: "\n") + "\n"
    }
}

/// Text in roff.
private enum Roff {
    /// `text` with everything escaped that roff would take for its own.
    static func text(_ text: String) -> String {
        var out = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        out = out.replacing("…", with: "...").replacing("'", with: "\\(aq")
        return out.hasPrefix(".") ? "\\&" + out : out
    }

    /// `text` as one argument of a macro.
    static func quoted(_ text: String) -> String { "\"\(self.text(text))\"" }

    /// A name in bold with its text below.
    static func item(_ name: String, _ help: String) -> [String] {
        [".TP", "\\fB\(text(name))\\fR", text(help)]
    }
}
