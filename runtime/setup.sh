#!/bin/sh
# Installs what Blip is built from: Debian's packages, and DuckDB from npm. Does nothing, and
# uses no network, when all of it is there.
#   sh runtime/setup.sh          to build and run
#   sh runtime/setup.sh test     to test as well
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)

packages="build-essential cmake ninja-build pkg-config ca-certificates curl jq npm
 libuv1-dev libmicrohttpd-dev libgnutls28-dev libsodium-dev liblua5.4-dev libsimdjson-dev
 zlib1g-dev libboost-dev"
[ "${1:-build}" = test ] && packages="$packages lua-busted lua-check lua5.4 clang clang-format
 clang-tidy libclang-rt-14-dev git python3 python3-venv openssl"

missing=""
for package in $packages; do
    # Node.js may come from elsewhere: the command counts, not the package.
    if [ "$package" = npm ] && command -v npm >/dev/null; then continue; fi
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
        missing="$missing $package"
done

if [ -n "$missing" ]; then
    echo "setup: installing$missing"
    sudo=""
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq
    # shellcheck disable=SC2086  # a list of words
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        $missing >/dev/null
fi

# npm ci deletes what it finds, so it runs only when the lock file has changed.
npm=$top/build/npm
if ! cmp -s "$top/runtime/duckdb/package-lock.json" "$npm/installed-lock.json"; then
    echo "setup: fetching DuckDB from npm"
    mkdir -p "$npm"
    cp "$top/runtime/duckdb/package.json" "$top/runtime/duckdb/package-lock.json" \
        "$top/runtime/duckdb/.npmrc" "$npm"
    (cd "$npm" && npm ci --silent)
    cp "$npm/package-lock.json" "$npm/installed-lock.json"
fi
