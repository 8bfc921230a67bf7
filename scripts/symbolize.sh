#!/usr/bin/env bash
# Name the functions and lines at addresses of a panic. `symbolize.sh --help` lists the options.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
exec "$("$root/scripts/find-python.sh")" "$root/scripts/symbolize.py" "$@"
