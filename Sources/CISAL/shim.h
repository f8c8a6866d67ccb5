// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0
#include <isa-l.h>

/// The memory that level 2 works with, in bytes: Swift does not see macros that add and multiply.
static const unsigned isal_level_2_memory = ISAL_DEF_LVL2_DEFAULT;
