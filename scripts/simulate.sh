#!/usr/bin/env bash
# Run the whole memory stack on this computer over a memory map given as text. `simulate.sh --help`
# lists the options; docs/SIMULATOR.md tells the rest.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

wants_help=no
for argument in "$@"; do
    case $argument in
    -h | --help) wants_help=yes ;;
    esac
done
# A checkout that may only be read is used as it was built.
program=${BUILD:-$root/build}/simulator/simulate
is_built=no
if [ -x "$program" ] && [ ! -w "$program" ]; then
    is_built=yes
fi
if { [ "$wants_help" = no ] && [ "$is_built" = no ]; } || ! command -v python3 >/dev/null; then
    # What it says goes beside the result: --json must be alone on standard output.
    "$root/scripts/setup.sh" test >&2
    "$root/scripts/build.sh" simulator >&2
fi
exec "$("$root/scripts/find-python.sh")" "$root/host/simulator/simulate.py" "$@"
