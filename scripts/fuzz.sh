#!/usr/bin/env bash
# Run fuzzers one after the other: fuzz.sh DIRECTORY short|SECONDS fuzz_NAME...
#
#   short     from the seeds alone, with a fixed random seed, 20000 runs or 5 seconds each
#   SECONDS   from what earlier runs have learned as well (DIRECTORY/corpus/NAME)
#
# One line a fuzzer; the whole output of one that fails, and the input in DIRECTORY/failures. The
# last line is `N passed, N failed`.
set -euo pipefail
directory=$1 mode=$2
shift 2

passed=0 failed=0
for fuzzer in "$@"; do
    name=${fuzzer#fuzz_}
    log="$directory/$fuzzer.log"
    corpus="$directory/corpus/$name"
    limits=(-max_total_time="$mode")
    if [ "$mode" = short ]; then
        corpus="$directory/short/$name"
        rm -rf "$corpus"
        limits=(-seed=1 -runs=20000 -max_total_time=5)
    fi
    mkdir -p "$corpus" "$directory/failures"
    inputs=("$corpus")
    if [ -d "tests/fuzz/seeds/$name" ]; then
        inputs+=("tests/fuzz/seeds/$name")
    fi
    if scripts/steady.sh "$directory/$fuzzer" "${limits[@]}" -timeout=10 -print_final_stats=1 -max_len=8192 \
        -artifact_prefix="$directory/failures/$name-" "${inputs[@]}" >"$log" 2>&1; then
        passed=$((passed + 1))
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        echo "$fuzzer: passed ($runs runs)"
    else
        failed=$((failed + 1))
        echo "$fuzzer: FAILED"
        cat "$log"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
