// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

/// The qcow2 creation options that interop tests go through: every one alone and the combinations that change the layout.
enum ConvertOptions {
    static let written = [
        "", "compat=0.10", "compat=1.1",
        "cluster_size=512", "cluster_size=4k", "cluster_size=2M",
        "refcount_bits=1", "refcount_bits=2", "refcount_bits=4", "refcount_bits=8",
        "refcount_bits=32", "refcount_bits=64",
        "cluster_size=512,refcount_bits=64", "cluster_size=2M,refcount_bits=1",
        "lazy_refcounts=on", "lazy_refcounts=on,refcount_bits=8",
        "preallocation=metadata", "preallocation=falloc", "preallocation=full",
        "preallocation=metadata,cluster_size=512", "preallocation=full,compat=0.10",
        "extended_l2=on", "extended_l2=on,cluster_size=16k", "extended_l2=on,cluster_size=2M",
        "extended_l2=on,preallocation=metadata",
        "compression_type=zstd",
    ]
}
