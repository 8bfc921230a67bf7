#!/usr/bin/env bash
# Run a program at the same addresses every time: steady.sh PROGRAM ARGUMENTS...
#
# The compiler's sanitizers reserve parts of the address space. If the host uses more random bits than
# they expect (vm.mmap_rnd_bits=32), some runs die before main(). And a test that fails at one address
# in thousands should fail for all users. If the host does not allow it (a container), the program
# runs at random addresses.
set -euo pipefail
# shellcheck source=scripts/usage.sh
. "$(dirname "${BASH_SOURCE[0]}")/usage.sh"
usage_help "$@"
if ! command -v -- "${1:-}" >/dev/null; then
    usage_refuse "'${1:-}' is not a program: name a program to run"
fi
if setarch --addr-no-randomize true 2>/dev/null; then
    exec setarch --addr-no-randomize "$@"
fi
exec "$@"
