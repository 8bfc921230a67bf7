#!/usr/bin/env bash
# Run a program at the same addresses every time: steady.sh PROGRAM ARGUMENTS...
#
# The compiler's sanitizers want parts of the address space for themselves; where the host spreads
# programs more widely than they know (vm.mmap_rnd_bits=32), one run in some dies before main(). And a
# test that fails at one address in thousands should fail for everybody. A host that does not allow
# it (a container) runs the program as it is.
set -euo pipefail
# shellcheck source=scripts/usage.sh
. "$(dirname "${BASH_SOURCE[0]}")/usage.sh"
usage_help "$@"
if ! command -v -- "${1:-}" >/dev/null; then
    usage_refuse "'${1:-}' is not a program: name one to run"
fi
if setarch --addr-no-randomize true 2>/dev/null; then
    exec setarch --addr-no-randomize "$@"
fi
exec "$@"
