#!/usr/bin/env bash
# Run fuzzers, one on each processor: fuzz.sh DIRECTORY short|SECONDS fuzz_NAME...
#
#   short     from the seeds alone, with a fixed random seed, 20000 runs or 5 seconds each
#   SECONDS   from what earlier runs have learned as well (DIRECTORY/corpus/NAME)
#
# DIRECTORY holds the fuzzers that make fuzz-programs built; make fuzz and make fuzz-short call this.
# One line a fuzzer; the whole output of one that fails, and the input in DIRECTORY/failures. The
# last line is `N passed, N failed`.
set -euo pipefail
# shellcheck source=scripts/usage.sh
. "$(dirname "${BASH_SOURCE[0]}")/usage.sh"
usage_help "$@"
if [ $# -lt 3 ]; then
    usage_refuse "it needs a folder, 'short' or a number of seconds, and the names of fuzzers"
fi
directory=$1 mode=$2
shift 2
if [ ! -d "$directory" ]; then
    usage_refuse "'$directory' is not a folder: make fuzz-programs makes build/fuzz"
fi
if [ "$mode" != short ] && ! [[ $mode =~ ^[1-9][0-9]{0,6}$ ]]; then
    usage_refuse "'$mode' is neither 'short' nor a number of seconds from 1 on"
fi
for fuzzer in "$@"; do
    if [ ! -x "$directory/$fuzzer" ] || [ -d "$directory/$fuzzer" ]; then
        usage_refuse "there is no fuzzer '$fuzzer' in $directory: make fuzz-programs builds them"
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
