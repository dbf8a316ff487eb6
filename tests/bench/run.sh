#!/bin/sh
# Runs the benchmarks (tests/bench/*_bench.lua) inside the release binary and prints their figures.
#   sh tests/bench/run.sh               all
#   sh tests/bench/run.sh forest store  those whose file name holds one of the words
set -eu
cd "$(dirname "$0")/../.."
sh runtime/setup.sh test
cmake --preset release >/dev/null
cmake --build --preset release >/dev/null
echo "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
for file in tests/bench/*_bench.lua; do
    for word in "${@:-_bench}"; do
        case $file in
        *"$word"*) ;;
        *) continue ;;
        esac
        echo "== $(basename "$file" .lua)"
        build/release/blip test --pattern=_bench --output=tests/bench/figures.lua "$file"
    done
done
