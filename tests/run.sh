#!/bin/sh
# Installs what is missing, builds, and passes every test. Ends with one line,
# "N passed, N failed", and exits 0 when nothing failed.
#   sh tests/run.sh               everything, about 25 minutes on two cores
#   sh tests/run.sh release       one step of: lint release install clients asan tsan fuzz
set -u
cd "$(dirname "$0")/.." || exit 1
steps=${*:-lint release install clients asan tsan fuzz}
passed=0 failed=0

# Counts one check by its exit status: check NAME COMMAND...
check() {
    name=$1
    shift
    log=build/log/$(echo "$name" | tr ' /' '--').txt
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        tail -n 60 "$log" | sed 's/^/        /'
    fi
}

build() { cmake --preset "$1" && cmake --build --preset "$1"; }

# Runs specs inside one build's binary and adds up what busted counted: specs BUILD FOLDER...
specs() {
    log=build/log/specs-$1.txt
    build=$1
    shift
    "build/$build/blip" test --output=plainTerminal "$@" >"$log" 2>&1
    status=$?
    # "12 successes / 1 failure / 0 errors / 0 pending : 1.2 seconds"
    counts=$(grep -E '^[0-9]+ success(es)? / ' "$log" | tail -n 1)
    good=$(echo "$counts" | awk '{print $1 + 0}')
    bad=$(echo "$counts" | awk '{print $4 + $7}')
    # A run that died, or that ran nothing, has failed whatever it counted.
    if [ "$good" = 0 ] || { [ "$status" != 0 ] && [ "$bad" = 0 ]; }; then bad=$((bad + 1)); fi
    passed=$((passed + good))
    failed=$((failed + bad))
    echo "specs   $build: ${counts:-no closing line, exit $status}"
    [ "$bad" = 0 ] || sed -n '/^\(Failure\|Error\|ERROR\|WARNING\|==\)/,$p' "$log" | head -n 200 | sed 's/^/        /'
}

sanitized_specs() {
    LSAN_OPTIONS=suppressions=$PWD/tests/support/leaks.txt \
        TSAN_OPTIONS="suppressions=$PWD/tests/support/races.txt ignore_noninstrumented_modules=1" \
        UBSAN_OPTIONS=print_stacktrace=1 specs "$@"
}

sh runtime/setup.sh test || exit 1
mkdir -p build/log

for step in $steps; do
    case $step in
    lint)
        check "build release" build release
        check "format" sh -c "git ls-files '*.c' '*.h' '*.cc' | xargs clang-format --dry-run -Werror"
        check "luacheck" luacheck --quiet --exclude-files "tests/fuzz/seeds/**" -- lua tests detectors
        check "shell syntax" sh -c 'for f in $(git ls-files "*.sh"); do sh -n "$f" || exit 1; done'
        # The debug build: its asserts tell the analyzer what cannot happen. One file a process:
        # several make this version invent findings.
        check "build asan" build asan
        check "clang-tidy" sh -c "git ls-files 'runtime/*.c' 'runtime/*.cc' |
            xargs -P 2 -n 1 clang-tidy --quiet -p build/asan"
        ;;
    release)
        check "build release" build release
        specs release tests
        ;;
    install)
        check "build release" build release
        check "installed tree" sh tests/install.sh
        ;;
    clients)
        check "build release" build release
        for client in 7 8 9 python; do
            check "client $client" sh tests/clients/run.sh "$client"
        done
        ;;
    asan)
        check "build asan" build asan
        sanitized_specs asan tests
        ;;
    tsan)
        # Where threads meet: the host, sets of models, a job on several threads, the server, and
        # what goes on in it by itself. Numbers alone and specs of Lua alone have one thread.
        check "build tsan" build tsan
        sanitized_specs tsan tests/runtime/bind tests/runtime/frame tests/runtime/store \
            tests/runtime/work tests/runtime/model/model_set_*spec.lua \
            tests/runtime/job/limit_spec.lua tests/api/*_spec.lua tests/api/opensearch \
            tests/api/elastic/post_data_spec.lua tests/api/elastic/jobs_lifecycle_spec.lua \
            tests/api/elastic/start_stop_datafeed_spec.lua
        ;;
    fuzz)
        check "build fuzz" build fuzz
        for target in build/fuzz/tests/fuzz/*_fuzz; do
            check "fuzz $(basename "$target")" sh tests/fuzz/run.sh "$target" "${FUZZ_SECONDS:-20}"
        done
        ;;
    *)
        echo "unknown step '$step'" >&2
        exit 2
        ;;
    esac
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
