// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

// SHA-256 (FIPS 180-4) of two messages at a time, with the processor's SHA instructions.
//
// Each of these instructions waits for the one before it in its message, and the processor could do twice as many: the
// instructions of a second message fit in between, and two digests take about the time of one.
#ifndef DRAY_CSHA256_H
#define DRAY_CSHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Whether this processor has what dray_sha256_pair needs. Never on others than x86-64.
bool dray_sha256_pair_is_available(void);

// Stores the digests of `first` and of `second`, each `length` bytes, one behind the other in `digests`. The length is a
// multiple of 64. Only where dray_sha256_pair_is_available.
void dray_sha256_pair(const void *first, const void *second, size_t length, uint8_t digests[64]);

#endif
