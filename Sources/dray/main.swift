// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

internal import CommandTable
internal import Glibc

exit(CommandLineProgram.run(Array(CommandLine.arguments.dropFirst())))
