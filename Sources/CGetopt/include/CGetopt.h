// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

// getopt_long(3), which Swift's Glibc module does not show, without its global variables in the interface.
#ifndef DRAY_CGETOPT_H
#define DRAY_CGETOPT_H

// A long option: its name (not copied), whether it takes a value, and the code that stands for it.
struct dray_option {
    const char *name;
    int takes_value;
    int code;
};

// One step of the parse.
struct dray_getopt_step {
    // The option's code; '?' for an unknown option, ':' for a missing value, -1 at the end.
    int code;
    // The option's value, or NULL.
    const char *value;
    // The index of the next element of argv.
    int index;
    // For '?' and ':': the code of the option concerned, 0 for an unknown long option.
    int culprit;
};

enum { dray_getopt_limit = 100 };

// Starts a parse: getopt_long keeps its state in global variables, so one runs at a time.
void dray_getopt_start(void);

// Takes the next option. `short_options` starts with ':'. At most dray_getopt_limit long options.
struct dray_getopt_step dray_getopt_next(int argc, char *const *argv, const char *short_options,
                                         const struct dray_option *long_options, int long_count);

#endif
