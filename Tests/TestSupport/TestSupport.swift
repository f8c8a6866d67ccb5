// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// Placeholder so that the target has a source; see the files beside it.
package enum TestSupport {}
