#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Dray authors
# SPDX-License-Identifier: Apache-2.0
#
# Converts a disk image to qcow2 and proves the result. IMAGE and TARGET choose the files; without IMAGE a file
# system image is made from files of this machine.
set -euo pipefail

cd "$(dirname "$0")/.."
dray=$PWD/.build/release/dray
say() { printf '\n== %s\n' "$*"; }

work=.build/demo
mkdir -p "$work"

if [ -z "${IMAGE:-}" ]; then
    deploy/install-dependencies.sh --demo
    IMAGE=$work/source.raw
    rm -f "$IMAGE"
    say "making an ext4 image of 2 GiB with 512 MiB of this machine's files: $IMAGE"
    PATH=$PATH:/usr/sbin:/sbin Tests/Benchmarks/make-image "$IMAGE" 2048 512
fi
if [ -z "${TARGET:-}" ]; then
    TARGET=$work/$(basename "${IMAGE%.*}").qcow2
    rm -f "$TARGET"
fi

say "dray info $IMAGE"
"$dray" info "$IMAGE"

say "dray convert -p -O qcow2 $IMAGE $TARGET"
"$dray" convert -p -O qcow2 "$IMAGE" "$TARGET"

say "dray compare $IMAGE $TARGET"
"$dray" compare "$IMAGE" "$TARGET"

say "dray check $TARGET"
"$dray" check "$TARGET"
if command -v qemu-img > /dev/null; then
    say "qemu-img check $TARGET"
    qemu-img check "$TARGET"
    say "qemu-img compare $IMAGE $TARGET"
    qemu-img compare "$IMAGE" "$TARGET"
fi

say "dray checksum (of the content: the same for both, if the disk has whole sectors of 512 bytes)"
"$dray" checksum "$IMAGE" "$TARGET"

source_size=$(stat -Lc %s "$IMAGE")
target_size=$(stat -Lc %s "$TARGET")
say "done"
echo "Converted $IMAGE ($source_size bytes) to qcow2 and verified it."
echo "The result is $TARGET ($target_size bytes)."
