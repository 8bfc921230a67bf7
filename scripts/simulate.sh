#!/usr/bin/env bash
# Run the whole memory stack on this computer over a memory map that is given as text.
# `simulate.sh --help` lists the options. See docs/SIMULATOR.md.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

wants_help=no
for argument in "$@"; do
    case $argument in
    -h | --help) wants_help=yes ;;
    esac
done
# Without write access, use the program that is already built.
program=${BUILD:-$root/build}/simulator/simulate
is_built=no
if [ -x "$program" ] && [ ! -w "$program" ]; then
    is_built=yes
fi
if { [ "$wants_help" = no ] && [ "$is_built" = no ]; } || ! command -v python3 >/dev/null; then
    # Messages go to standard error, because standard output may contain nothing but the JSON of --json.
    "$root/scripts/setup.sh" host >&2
    "$root/scripts/build.sh" simulator >&2
fi
exec "$("$root/scripts/find-python.sh")" "$root/host/simulator/simulate.py" "$@"
