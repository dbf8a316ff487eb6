#!/bin/sh
# Installs into a prefix of its own and runs from there: the binary must find its Lua tree, its
# detectors and DuckDB without the source tree.
set -eu
cd "$(dirname "$0")/.."
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install build/release --prefix "$prefix/usr" >/dev/null
cd /
"$prefix/usr/bin/blip" --version
"$prefix/usr/bin/blip" check "$prefix"/usr/share/blip/detectors/*.lua
"$prefix/usr/bin/blip" scan "$prefix/usr/share/blip/detectors/demo/nyc_taxi.csv" --json >"$prefix/out.json"
grep -q '"grade"' "$prefix/out.json"
