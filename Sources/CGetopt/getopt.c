// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CGetopt.h"

#include <getopt.h>
#include <stddef.h>

void dray_getopt_start(void) {
    // 0, not 1: glibc then forgets everything about an earlier parse.
    optind = 0;
    opterr = 0;
}

struct dray_getopt_step dray_getopt_next(int argc, char *const *argv, const char *short_options,
                                         const struct dray_option *long_options, int long_count) {
    struct option table[dray_getopt_limit + 1] = {{0}};
    for (int i = 0; i < long_count && i < dray_getopt_limit; i++) {
        table[i].name = long_options[i].name;
        table[i].has_arg = long_options[i].takes_value ? required_argument : no_argument;
        table[i].val = long_options[i].code;
    }
    optarg = NULL;
    optopt = 0;
    struct dray_getopt_step step;
    step.code = getopt_long(argc, argv, short_options, table, NULL);
    step.value = optarg;
    step.index = optind;
    step.culprit = optopt;
    return step;
}
