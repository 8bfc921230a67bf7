#!/usr/bin/env bash
# Install missing packages, build, and run the conformance kit. `conformance.sh --help` lists the options.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

trap 'echo "conformance.sh: interrupted" >&2; exit 130' INT

# Refuse wrong options before anything is installed or built.
if command -v python3 >/dev/null; then
    python3 "$root/scripts/conformance.py" --check-only "$@"
fi
for argument in "$@"; do
    case $argument in
    -h | --help) exit ;; # it was printed
    --list) exec python3 "$root/scripts/conformance.py" "$@" ;;
    esac
done
# The packages and the compiler report to standard error: standard output has only results.
"$root/scripts/setup.sh" build >&2
"$root/scripts/build.sh" build probe >&2
exec "$("$root/scripts/find-python.sh")" "$root/scripts/conformance.py" "$@"
