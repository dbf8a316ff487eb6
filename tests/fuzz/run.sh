#!/bin/sh
# Runs one fuzz target for some seconds on a corpus that is kept in build/.
#   sh tests/fuzz/run.sh build/fuzz/tests/fuzz/ingest_fuzz 600
set -eu
cd "$(dirname "$0")/../.."
target=$1 seconds=${2:-600}
name=$(basename "$target")
corpus=build/corpus/$name
mkdir -p "$corpus" build/log
seeds=tests/fuzz/seeds/${name%_fuzz}
[ -d "$seeds" ] || seeds=
# DuckDB keeps memory behind an allocator that the leak detector does not look into.
LSAN_OPTIONS=suppressions=$PWD/tests/support/leaks.txt:print_suppressions=0
export LSAN_OPTIONS
# shellcheck disable=SC2086  # an empty list of seeds is no argument
"$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -artifact_prefix=build/log/ \
    -print_final_stats=1 "$corpus" $seeds
