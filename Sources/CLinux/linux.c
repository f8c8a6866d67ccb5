// SPDX-FileCopyrightText: 2026 The Dray authors
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const int32_t dray_O_DIRECT = O_DIRECT;
const int32_t dray_O_TMPFILE = O_TMPFILE;
const int32_t dray_SEEK_DATA = SEEK_DATA;
const int32_t dray_SEEK_HOLE = SEEK_HOLE;
const int32_t dray_FALLOC_FL_KEEP_SIZE = FALLOC_FL_KEEP_SIZE;
const int32_t dray_FALLOC_FL_PUNCH_HOLE = FALLOC_FL_PUNCH_HOLE;
const int32_t dray_FALLOC_FL_ZERO_RANGE = FALLOC_FL_ZERO_RANGE;

int dray_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

int dray_openat(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags, mode);
}

int dray_fallocate(int fd, int mode, int64_t offset, int64_t length) {
    return fallocate(fd, mode, offset, length);
}

int dray_rename_noreplace(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

ssize_t dray_copy_file_range(int in, int64_t *in_offset, int out, int64_t *out_offset, size_t length) {
    return copy_file_range(in, in_offset, out, out_offset, length, 0);
}

int dray_block_device_size(int fd, uint64_t *bytes) { return ioctl(fd, BLKGETSIZE64, bytes); }

int dray_block_device_sector(int fd, int *bytes) { return ioctl(fd, BLKSSZGET, bytes); }

int dray_block_device_zero(int fd, uint64_t offset, uint64_t length) {
    uint64_t range[2] = {offset, length};
    return ioctl(fd, BLKZEROOUT, range);
}

int dray_block_device_discard(int fd, uint64_t offset, uint64_t length) {
    uint64_t range[2] = {offset, length};
    return ioctl(fd, BLKDISCARD, range);
}

// glibc 2.36's struct statx has no stx_dio_mem_align, so the two words are read at their place in the
// kernel's layout (linux/stat.h: offsets 0x98 and 0x9c), and the mask's bit is named here.
#define DRAY_STATX_DIOALIGN 0x2000U

int dray_direct_io_alignment(int fd, uint32_t *memory, uint32_t *offset) {
    union {
        struct statx known;
        uint8_t raw[256];
    } answer = {0};
    *memory = 0;
    *offset = 0;
    if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, DRAY_STATX_DIOALIGN, &answer) != 0) return -1;
    if (answer.known.stx_mask & DRAY_STATX_DIOALIGN) {
        *memory = *(uint32_t *)(answer.raw + 0x98);
        *offset = *(uint32_t *)(answer.raw + 0x9c);
    }
    return 0;
}

int64_t dray_birth_time(const char *path) {
    struct statx answer;
    if (statx(AT_FDCWD, path, 0, STATX_BTIME, &answer) != 0) return -1;
    if (!(answer.stx_mask & STATX_BTIME)) return -1;
    return (int64_t)answer.stx_btime.tv_sec * 1000 + answer.stx_btime.tv_nsec / 1000000;
}

static int lock(int fd, short type) {
    struct flock whole = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
    return fcntl(fd, F_OFD_SETLK, &whole);
}

int dray_lock_exclusive(int fd) { return lock(fd, F_WRLCK); }

int dray_lock_shared(int fd) { return lock(fd, F_RDLCK); }

int dray_unlock(int fd) { return lock(fd, F_UNLCK); }

int dray_map_large_memory(int least, int kept) {
    return mallopt(M_MMAP_THRESHOLD, least) == 1 && mallopt(M_TRIM_THRESHOLD, kept) == 1 ? 0 : -1;
}

int dray_share_arenas(int most) { return mallopt(M_ARENA_MAX, most) == 1 ? 0 : -1; }
