#!/usr/bin/env bash
# Run the whole memory stack on this computer over a memory map given as text. `simulate.sh --help`
# lists the options; docs/SIMULATOR.md tells the rest.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# As for make: a folder, from the project's root on.
build=${BUILD:-build}
[ "${build#/}" != "$build" ] || build=$root/$build
program=$build/simulator/simulate

wants_help=no
for argument in "$@"; do
    case $argument in
    -h | --help) wants_help=yes ;;
    esac
done
# A checkout that may only be read is used as it was built.
may_build=yes
if [ -e "$build" ] && [ ! -w "$build" ]; then
    may_build=no
elif [ ! -e "$build" ] && [ ! -w "$root" ] && [ -z "${BUILD:-}" ]; then
    may_build=no
fi
if [ "$may_build" = no ] && [ ! -x "$program" ] && [ "$wants_help" = no ]; then
    echo "simulate.sh: $program is not built, and the folder cannot be written: BUILD=DIR builds elsewhere" >&2
    exit 1
fi
if [ "$may_build" = yes ] && { [ "$wants_help" = no ] || ! command -v python3 >/dev/null; }; then
    # What it says goes beside the result: --json must be alone on standard output.
    "$root/scripts/setup.sh" test >&2
    make -C "$root" --no-print-directory --silent -j "$(getconf _NPROCESSORS_ONLN)" \
        ${BUILD:+BUILD="$BUILD"} simulator >&2
fi
SIMULATOR=$program exec "$("$root/scripts/find-python.sh")" "$root/tests/simulator/simulate.py" "$@"
