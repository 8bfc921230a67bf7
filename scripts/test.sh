#!/usr/bin/env bash
# Install what is missing and run every test. The last line is `N passed, N failed`.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/setup.sh" test
# Here a warning is an error; a build alone goes on (see the Makefile).
export WERROR=1
exec "$("$root/scripts/find-python.sh")" "$root/scripts/test.py"
