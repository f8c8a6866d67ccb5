#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Dray authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs the system libraries that Dray is built with; with --demo also what makes the demo's image, with --test what
# tests and benchmark call.
# Does nothing when all is there. Needs Debian or Ubuntu, and root or sudo. Swift itself is not installed.
set -euo pipefail

packages=(pkg-config zlib1g-dev libdeflate-dev libisal-dev libzstd-dev liblzma-dev libssl-dev libsqlite3-dev librdkafka-dev)
case ${1:-} in
'') ;;
--demo) packages+=(e2fsprogs) ;;
--test) packages+=(qemu-utils e2fsprogs python3 bash-completion man-db time openssl xz-utils zstd 7zip strace kcat jq default-jre-headless systemd docker-compose) ;;
*)
    echo "usage: $0 [--demo | --test]" >&2
    exit 2
    ;;
esac

# A virtual or renamed package (pkg-config, pkgconf) counts as installed where one that provides it is.
is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ] && return
    dpkg-query -W -f '${db:Status-Status} ${Provides}\n' | grep -E "^installed (.*, )?$1( |,|\$)" > /dev/null
}

missing=()
for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || {
        echo "not installed: ${missing[*]}; run this as root, or install sudo" >&2
        exit 1
    }
    as_root=(sudo)
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
