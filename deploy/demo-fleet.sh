#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Dray authors
# SPDX-License-Identifier: Apache-2.0
#
# A whole fleet on this machine: starts a Kafka, a coordinator and two workers, has them convert a real image, kills a worker in
# the middle, and shows that the result is right all the same. IMAGE chooses the image; without it one is made from files
# of this machine. Kafka is found as deploy/local-kafka says.
set -euo pipefail

cd "$(dirname "$0")/.."
dray=$PWD/.build/release/dray
work=$PWD/.build/demo-fleet
say() { printf '\n== %s\n' "$*"; }

rm -rf "$work"
mkdir -p "$work/images" "$work/logs"
pids=()
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2> /dev/null && wait "$pid" 2> /dev/null; done
    deploy/local-kafka stop "$work/kafka" 2> /dev/null || true
}
trap finish EXIT

say "starting a Kafka of one node"
DRAY_BROKERS=$(deploy/local-kafka start "$work/kafka")
export DRAY_BROKERS
echo "it listens at $DRAY_BROKERS"

if [ -z "${IMAGE:-}" ]; then
    IMAGE=$work/images/source.raw
    say "making an ext4 image of 2 GiB with 512 MiB of this machine's files"
    PATH=$PATH:/usr/sbin:/sbin Tests/Benchmarks/make-image "$IMAGE" 2048 512
else
    say "copying $IMAGE into the fleet's store"
    cp --sparse=always "$IMAGE" "$work/images/$(basename "$IMAGE")"
fi
name=$(basename "$IMAGE")

say "dray topics create"
"$dray" topics create --partitions 4 --task-partitions 8 --replication 1

# A role's log goes to a file; a short session lets the fleet see a dead worker within seconds.
start() { # NAME COMMAND…
    : > "$work/logs/$1.log"
    "$dray" "${@:2}" --kafka session.timeout.ms=3000,heartbeat.interval.ms=500 2> "$work/logs/$1.log" &
    pids+=("$!")
    until grep -q started "$work/logs/$1.log"; do
        kill -0 "${pids[-1]}" 2> /dev/null || { cat "$work/logs/$1.log" >&2; exit 1; }
        sleep 0.1
    done
    echo "$1 runs (pid ${pids[-1]}): $(grep started "$work/logs/$1.log")"
}
say "starting a coordinator and two workers, which see the store 'images' in $work/images"
start coordinator coordinator --run-lease 5
start worker-1 worker --store "images=$work/images" -m 2 --heartbeat 1
start worker-2 worker --store "images=$work/images" -m 2 --heartbeat 1
victim=${pids[-1]}

say "dray checksum $IMAGE (here, without the fleet)"
before=$("$dray" checksum "$IMAGE" | cut -d' ' -f1)
echo "$before"

say "submitting three conversions: to qcow2, to raw, and to qcow2 with small clusters"
jobs=(
    "$("$dray" submit convert -O qcow2 --range-size 4M "images/$name" images/fleet-a.qcow2)"
    "$("$dray" submit convert -O raw --range-size 4M "images/$name" images/fleet-b.raw)"
    "$("$dray" submit convert -O qcow2 --range-size 4M -o cluster_size=16k "images/$name" images/fleet-c.qcow2)"
)
printf '%s\n' "${jobs[@]}"

say "killing worker 2 (kill -9) while it works"
for _ in $(seq 200); do
    compgen -G "$work/images/.fleet-a.qcow2.*.partial" > /dev/null && break
    sleep 0.02
done
sleep 0.2
kill -9 "$victim"
wait "$victim" 2> /dev/null || true

for job in "${jobs[@]}"; do
    say "dray watch $job"
    "$dray" watch "$job"
done
say "dray jobs"
"$dray" jobs

say "the checksums of the source before and of the three results after"
echo "$before  $IMAGE"
"$dray" checksum "$work/images/fleet-a.qcow2" "$work/images/fleet-b.raw" "$work/images/fleet-c.qcow2" | tee "$work/sums"
if command -v qemu-img > /dev/null; then
    for image in fleet-a.qcow2 fleet-b.raw fleet-c.qcow2; do qemu-img compare "$IMAGE" "$work/images/$image"; done
fi
grep -qv "^$before " "$work/sums" && { echo "a result differs from its source" >&2; exit 1; }

say "done"
echo "Three conversions went on over two workers, one was killed in the middle, and every result holds what its source holds."
echo "The images are in $work/images, the logs in $work/logs."
