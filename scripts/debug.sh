#!/usr/bin/env bash
# Boot with QEMU waiting for gdb, and stop at the kernel's first instruction with symbols loaded.
# `make debug` builds first. Options for gdb may follow: debug.sh -batch -ex 'info registers rip'.
# PORT in the environment names another TCP port than 1234, and BUILD another folder than build/.
set -euo pipefail
# shellcheck source=scripts/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
usage_help "$@"
case ${1--} in
-*) ;;
*) usage_refuse "unknown word '$1': options for gdb begin with '-'" ;;
esac
port=${PORT:-1234}
if ! [[ $port =~ ^[0-9]{1,5}$ ]] || [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then
    usage_refuse "PORT='$port' is not a whole number from 1 to 65535"
fi
build=${BUILD:-$tools_root/build}
symbols=$build/kernel.debug.elf
if ! tools_require gdb; then
    echo "debug.sh: for another debugger: scripts/run.sh --gdb $port; symbols: $symbols" >&2
    exit 1
fi

# gdb judges its options before it does what they ask; with --version it does nothing else.
if ! gdb --version "$@" </dev/null >/dev/null; then
    usage_refuse "gdb refuses its options"
fi
if [ ! -f "$symbols" ]; then
    usage_refuse "$symbols is not there: run make debug, which builds it"
fi
# The serial console goes into a file: beside what was built, or where one may write.
serial=$build/debug-serial.log
if [ ! -w "$build" ]; then
    serial=$(mktemp "${TMPDIR:-/tmp}/handoff-debug-XXXXXX")
fi
# What is wrong is said here, and not in that file.
python=$("$tools_root/scripts/find-python.sh")
"$python" "$tools_root/scripts/run.py" --gdb "$port" --check-only

# In a process group of its own, so that a Ctrl-C that is meant for gdb does not end QEMU.
set -m
"$python" "$tools_root/scripts/run.py" --gdb "$port" \
    </dev/null >"$serial" 2>&1 &
machine=$!
set +m
trap 'kill -TERM "$machine" 2>/dev/null || true; wait "$machine" 2>/dev/null || true' EXIT
echo "debug.sh: the serial console is in $serial"
# A hardware breakpoint: the kernel's addresses are not mapped yet when it is set.
gdb -q "$symbols" -ex "set confirm off" -ex "set tcp connect-timeout 30" \
    -ex "target remote 127.0.0.1:$port" -ex "hbreak kernel_entry" -ex continue "$@"
