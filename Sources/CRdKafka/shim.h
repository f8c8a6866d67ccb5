// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0
#include <librdkafka/rdkafka.h>

// Swift's Glibc module lacks it. The flags are macros over an enumeration, which Swift sees twice.
#include <sys/eventfd.h>
static inline int dray_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
