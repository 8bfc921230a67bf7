#!/usr/bin/env bash
# Install missing packages, and run all tests or the named groups. The last line is
# `N passed, N failed`. `test.sh --help` lists the groups.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
trap 'echo "test.sh: interrupted" >&2; exit 130' INT

# Refuse a wrong word before anything is installed.
if command -v python3 >/dev/null; then
    python3 "$root/scripts/test.py" --judge-only "$@"
fi
for argument in "$@"; do
    case $argument in
    -h | --help) exit ;; # it was printed
    esac
done
"$root/scripts/setup.sh" test
# In the tests a warning is an error. Without it, a build goes on (see the Makefile).
export WERROR=1
exec "$("$root/scripts/find-python.sh")" "$root/scripts/test.py" "$@"
