#!/usr/bin/env bash
# Install what is missing, build, and boot in QEMU. `run.sh --help` lists the options.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

wants_help=no
for argument in "$@"; do
    case $argument in
    -h | --help) wants_help=yes ;;
    esac
done
if [ "$wants_help" = no ] || ! command -v python3 >/dev/null; then
    "$root/scripts/setup.sh" build
    make -C "$root" --no-print-directory --silent -j "$(getconf _NPROCESSORS_ONLN)" build
fi
exec "$("$root/scripts/find-python.sh")" "$root/scripts/run.py" "$@"
