#!/usr/bin/env bash
# Install what is missing and run every test. The last line is `N passed, N failed`.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/setup.sh" test
exec "$("$root/scripts/find-python.sh")" "$root/scripts/test.py"
