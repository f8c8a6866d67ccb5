// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

// The Linux calls and constants that Swift's Glibc module does not show, because they need
// _GNU_SOURCE, are variadic, or are function-like macros. No logic: each function is one call.
#ifndef DRAY_CLINUX_H
#define DRAY_CLINUX_H

#include <stdint.h>
#include <sys/types.h>

// Flags of open(2), lseek(2), fallocate(2), renameat2(2).
extern const int32_t dray_O_DIRECT;
extern const int32_t dray_O_TMPFILE;
extern const int32_t dray_SEEK_DATA;
extern const int32_t dray_SEEK_HOLE;
extern const int32_t dray_FALLOC_FL_KEEP_SIZE;
extern const int32_t dray_FALLOC_FL_PUNCH_HOLE;
extern const int32_t dray_FALLOC_FL_ZERO_RANGE;

// open(2); variadic in C.
int dray_open(const char *path, int flags, mode_t mode);
// openat(2); variadic in C.
int dray_openat(int directory, const char *path, int flags, mode_t mode);
// fallocate(2).
int dray_fallocate(int fd, int mode, int64_t offset, int64_t length);
// renameat2(2) with RENAME_NOREPLACE.
int dray_rename_noreplace(const char *from, const char *to);
// copy_file_range(2).
ssize_t dray_copy_file_range(int in, int64_t *in_offset, int out, int64_t *out_offset, size_t length);

// A block device's size in bytes: ioctl BLKGETSIZE64.
int dray_block_device_size(int fd, uint64_t *bytes);
// A block device's logical sector size in bytes: ioctl BLKSSZGET.
int dray_block_device_sector(int fd, int *bytes);
// Zero a block device's range: ioctl BLKZEROOUT.
int dray_block_device_zero(int fd, uint64_t offset, uint64_t length);
// Discard a block device's range: ioctl BLKDISCARD.
int dray_block_device_discard(int fd, uint64_t offset, uint64_t length);

// The alignments that O_DIRECT asks for on this file: statx(2) with STATX_DIOALIGN. Both are 0 where
// the kernel or the file system does not say.
int dray_direct_io_alignment(int fd, uint32_t *memory, uint32_t *offset);

// When the file was made, in milliseconds since 1970: statx(2) with STATX_BTIME; -1 where the file system does not say.
int64_t dray_birth_time(const char *path);

// Open-file-description locks (fcntl F_OFD_SETLK) on the whole file: exclusive or shared, never waiting; and none.
int dray_lock_exclusive(int fd);
int dray_lock_shared(int fd);
int dray_unlock(int fd);

// Has malloc(3) map pieces of `least` bytes or more one by one, and keep `kept` bytes of what is free: mallopt(3).
int dray_map_large_memory(int least, int kept);

// Has malloc(3) share `most` arenas between all threads: mallopt(3).
int dray_share_arenas(int most);

#endif
