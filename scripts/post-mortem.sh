#!/usr/bin/env bash
# Show the boot record of the last boot. `post-mortem.sh --help` lists the options.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
exec "$("$root/scripts/find-python.sh")" "$root/scripts/post_mortem.py" "$@"
