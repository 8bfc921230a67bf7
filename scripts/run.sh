#!/usr/bin/env bash
# Install missing packages, build, and boot in QEMU. `run.sh --help` lists the options.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

trap 'echo "run.sh: interrupted" >&2; exit 130' INT

# Refuse wrong options before anything is installed or built.
if command -v python3 >/dev/null; then
    python3 "$root/scripts/run.py" --check-only "$@"
fi
for argument in "$@"; do
    case $argument in
    -h | --help) exit ;; # it was printed
    esac
done
"$root/scripts/setup.sh" build
"$root/scripts/build.sh" build
exec "$("$root/scripts/find-python.sh")" "$root/scripts/run.py" "$@"
