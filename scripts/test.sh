#!/usr/bin/env bash
# Install what is missing and run every test, or the groups that are named. The last line is
# `N passed, N failed`. `test.sh --help` lists the groups.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
trap 'echo "test.sh: interrupted" >&2; exit 130' INT

# A wrong word is refused before anything is installed.
if command -v python3 >/dev/null; then
    python3 "$root/scripts/test.py" --judge-only "$@"
fi
for argument in "$@"; do
    case $argument in
    -h | --help) exit ;; # it was printed
    esac
done
"$root/scripts/setup.sh" test
# Here a warning is an error; a build alone goes on (see the Makefile).
export WERROR=1
exec "$("$root/scripts/find-python.sh")" "$root/scripts/test.py" "$@"
