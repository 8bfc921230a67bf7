#!/usr/bin/env bash
# Run the unit tests that were built for coverage (coverage.sh PROFDATA COV DIRECTORY) and report
# the lines of the production files that they reach.
set -euo pipefail
profdata=$1 cov=$2 directory=$3

rm -f "$directory"/*.profraw
objects=()
for program in "$directory"/test_*; do
    [ -x "$program" ] || continue
    LLVM_PROFILE_FILE="$program.profraw" "$program" >"$program.log" 2>&1 ||
        echo "coverage: $(basename "$program") failed: see $program.log" >&2
    objects+=(-object "$program")
done
"$profdata" merge -sparse "$directory"/*.profraw -o "$directory/merged.profdata"
"$cov" report "${objects[@]:1}" -instr-profile "$directory/merged.profdata" \
    -ignore-filename-regex='tests/' -show-region-summary=false
"$cov" show "${objects[@]:1}" -instr-profile "$directory/merged.profdata" \
    -ignore-filename-regex='tests/' -format=html -output-dir "$directory/html" >/dev/null
echo "coverage: line by line in $directory/html/index.html"
