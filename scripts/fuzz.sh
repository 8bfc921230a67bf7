#!/usr/bin/env bash
# Run fuzzers, one on each processor: fuzz.sh DIRECTORY short|SECONDS fuzz_NAME...
#
#   short     start with the seeds only and a fixed random seed; 20000 runs or 5 seconds each
#   SECONDS   start also with the inputs of earlier runs (DIRECTORY/corpus/NAME)
#
# DIRECTORY contains the fuzzers: make fuzz-programs builds them. make fuzz and make fuzz-short call
# this script. It prints a line for each fuzzer, and the whole output of a fuzzer that fails. The input
# that failed is in DIRECTORY/failures. The last line is `N passed, N failed`.
set -euo pipefail
# shellcheck source=scripts/usage.sh
. "$(dirname "${BASH_SOURCE[0]}")/usage.sh"
usage_help "$@"
if [ $# -lt 3 ]; then
    usage_refuse "name a folder, 'short' or a number of seconds, and fuzzers"
fi
directory=$1 mode=$2
shift 2
if [ ! -d "$directory" ]; then
    usage_refuse "'$directory' is not a folder: run make fuzz-programs, which builds build/fuzz"
fi
if [ "$mode" != short ] && ! [[ $mode =~ ^[1-9][0-9]{0,6}$ ]]; then
    usage_refuse "'$mode' is not 'short', and not a number of seconds from 1 on"
fi
for fuzzer in "$@"; do
    if [ ! -x "$directory/$fuzzer" ] || [ -d "$directory/$fuzzer" ]; then
        usage_refuse "there is no fuzzer '$fuzzer' in $directory: run make fuzz-programs, which builds them"
    fi
done

# One fuzzer. Its line has what it ran; FUZZER.passed is there if it passed.
run_fuzzer() {
    local directory=$1 mode=$2 fuzzer=$3
    local name=${fuzzer#fuzz_} log="$directory/$fuzzer.log" started=$SECONDS word=FAILED runs
    local corpus="$directory/corpus/$name" limits=(-max_total_time="$mode")
    if [ "$mode" = short ]; then
        corpus="$directory/short/$name"
        rm -rf "$corpus"
        limits=(-seed=1 -runs=20000 -max_total_time=5)
    fi
    mkdir -p "$corpus" "$directory/failures"
    local inputs=("$corpus")
    if [ -d "tests/fuzz/seeds/$name" ]; then
        inputs+=("tests/fuzz/seeds/$name")
    fi
    rm -f "$directory/$fuzzer.passed"
    if scripts/steady.sh "$directory/$fuzzer" "${limits[@]}" -timeout=10 -print_final_stats=1 -max_len=8192 \
        -artifact_prefix="$directory/failures/$name-" "${inputs[@]}" >"$log" 2>&1; then
        touch "$directory/$fuzzer.passed"
        word=passed
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "$fuzzer: $word (${runs:-0} runs, $((SECONDS - started)) s)"
}
export -f run_fuzzer

printf '%s\0' "$@" |
    xargs -0 -n 1 -P "$(getconf _NPROCESSORS_ONLN)" bash -c 'run_fuzzer "$@"' bash "$directory" "$mode"
passed=0 failed=0
for fuzzer in "$@"; do
    if [ -e "$directory/$fuzzer.passed" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "--- $fuzzer"
        cat "$directory/$fuzzer.log"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
