#!/usr/bin/env bash
# Run fuzzers, one on each processor: fuzz.sh DIRECTORY short|SECONDS|runs=N|keep fuzz_NAME...
#
#   short     start with the seeds only and a fixed random seed; 20000 runs or 5 seconds each
#   SECONDS   start also with the inputs of earlier runs (DIRECTORY/corpus/NAME)
#   runs=N    the same, for N runs instead of a time
#   keep      write the inputs of earlier runs into tests/fuzz/kept: the smallest set with the same
#             coverage
#
# The seeds are in tests/fuzz/seeds/NAME and tests/fuzz/kept/NAME.tar.gz. DIRECTORY contains the
# fuzzers: make fuzz-programs builds them. make fuzz, fuzz-short, fuzz-long and fuzz-keep call this
# script. It prints a line for each fuzzer, and the whole output of a fuzzer that fails. The input that
# failed is in DIRECTORY/failures. The last line is `N passed, N failed`. A terminal shows the time left.
set -euo pipefail
# shellcheck source=scripts/usage.sh
. "$(dirname "${BASH_SOURCE[0]}")/usage.sh"
usage_help "$@"
if [ $# -lt 3 ]; then
    usage_refuse "name a folder, 'short', a number of seconds, 'runs=N' or 'keep', and fuzzers"
fi
directory=$1 mode=$2
shift 2
if [ ! -d "$directory" ]; then
    usage_refuse "'$directory' is not a folder: run make fuzz-programs, which builds build/fuzz"
fi
if ! [[ $mode =~ ^(short|keep|(runs=)?[1-9][0-9]{0,8})$ ]]; then
    usage_refuse "'$mode' is not 'short', not 'keep', and not a number of seconds or 'runs=N' from 1 on"
fi
for fuzzer in "$@"; do
    if [ ! -x "$directory/$fuzzer" ] || [ -d "$directory/$fuzzer" ]; then
        usage_refuse "there is no fuzzer '$fuzzer' in $directory: run make fuzz-programs, which builds them"
    fi
done

# Print the folders with the seeds of a fuzzer.
seed_folders() {
    local directory=$1 name=$2
    if [ -d "tests/fuzz/seeds/$name" ]; then
        echo "tests/fuzz/seeds/$name"
    fi
    if [ -f "tests/fuzz/kept/$name.tar.gz" ]; then
        rm -rf "$directory/kept/$name"
        mkdir -p "$directory/kept/$name"
        tar -xzf "tests/fuzz/kept/$name.tar.gz" -C "$directory/kept/$name"
        echo "$directory/kept/$name"
    fi
}

# Write the smallest set of inputs with the same coverage. Equal sets give equal archives.
keep_inputs() {
    local directory=$1 fuzzer=$2 name=${2#fuzz_} inputs
    local merged="$directory/merged/$name"
    mapfile -t inputs < <(seed_folders "$directory" "$name")
    rm -rf "$merged"
    mkdir -p "$merged" "$directory/corpus/$name" tests/fuzz/kept
    scripts/steady.sh "$directory/$fuzzer" -set_cover_merge=1 -max_len=8192 "$merged" "$directory/corpus/$name" \
        "${inputs[@]}" >"$directory/$fuzzer.log" 2>&1 || return
    tar -cf "$merged.tar" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
        -C "$merged" . && gzip -9nf "$merged.tar" && mv "$merged.tar.gz" tests/fuzz/kept/ || return
    echo "$fuzzer: $(find "$merged" -type f | wc -l) inputs kept"
}

# One fuzzer. Its line has what it ran; FUZZER.passed is there if it passed.
run_fuzzer() {
    local directory=$1 mode=$2 fuzzer=$3
    local name=${fuzzer#fuzz_} log="$directory/$fuzzer.log" started=$SECONDS word=FAILED runs inputs
    local corpus="$directory/corpus/$name" limits=(-max_total_time="$mode")
    rm -f "$directory/$fuzzer.passed"
    case $mode in
    keep)
        if keep_inputs "$directory" "$fuzzer"; then
            touch "$directory/$fuzzer.passed"
        else
            echo "$fuzzer: FAILED"
        fi
        return
        ;;
    short)
        corpus="$directory/short/$name"
        rm -rf "$corpus"
        limits=(-seed=1 -runs=20000 -max_total_time=5)
        ;;
    runs=*)
        limits=(-"$mode")
        ;;
    esac
    mkdir -p "$corpus" "$directory/failures"
    mapfile -t inputs < <(echo "$corpus" && seed_folders "$directory" "$name")
    if scripts/steady.sh "$directory/$fuzzer" "${limits[@]}" -timeout=10 -print_final_stats=1 -max_len=8192 \
        -artifact_prefix="$directory/failures/$name-" "${inputs[@]}" >"$log" 2>&1; then
        touch "$directory/$fuzzer.passed"
        word=passed
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "$fuzzer: $word (${runs:-0} runs, $((SECONDS - started)) s)"
}
export -f run_fuzzer keep_inputs seed_folders

# Copy the lines of the fuzzers, and show on a terminal how many have ended and how long the others take.
show_progress() {
    local count=$1 processors=$2 words=()
    if ! [ -t 2 ]; then
        cat
        return
    fi
    if [[ $mode =~ ^[0-9]+$ ]]; then
        words=(--seconds $((mode * ((count + processors - 1) / processors))))
    fi
    "$(scripts/find-python.sh)" scripts/progress.py --title fuzz.sh --lines '^fuzz_' --total "$count" "${words[@]}"
}

processors=$(getconf _NPROCESSORS_ONLN)
printf '%s\0' "$@" |
    xargs -0 -n 1 -P "$processors" bash -c 'run_fuzzer "$@"' bash "$directory" "$mode" |
    show_progress $# "$processors"
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
