#!/usr/bin/env bash
# Boot in QEMU under gdb, with the kernel's symbols, and stop at the kernel's first instruction. In gdb,
# handoff-help lists commands for the heap, the page tables and the memory map.
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
    echo "debug.sh: for another debugger, run scripts/run.sh --gdb $port, and load the symbols of $symbols; the sources are in $tools_root" >&2
    exit 1
fi

# gdb checks all its options before it executes them. With --version it does nothing else.
if ! gdb --version "$@" </dev/null >/dev/null; then
    usage_refuse "gdb refuses its options"
fi
if [ ! -f "$symbols" ]; then
    usage_refuse "$symbols does not exist: run make debug, which builds it"
fi
# The serial console goes into a file: in the build folder, or else in a temporary file.
serial=$build/debug-serial.log
if [ ! -w "$build" ]; then
    serial=$(mktemp "${TMPDIR:-/tmp}/handoff-debug-XXXXXX")
fi
# Errors appear here, and not in that file.
python=$("$tools_root/scripts/find-python.sh")
"$python" "$tools_root/scripts/run.py" --gdb "$port" --check-only

# QEMU has its own process group, so that Ctrl-C interrupts gdb and does not end QEMU.
set -m
"$python" "$tools_root/scripts/run.py" --gdb "$port" \
    </dev/null >"$serial" 2>&1 &
machine=$!
set +m
trap 'kill -TERM "$machine" 2>/dev/null || true; wait "$machine" 2>/dev/null || true' EXIT
echo "debug.sh: the serial console is in $serial"
# The breakpoint is one of the hardware, because the kernel's addresses are not mapped yet.
gdb -q "$symbols" -ex "set confirm off" -ex "directory $tools_root" -x "$tools_root/scripts/gdb/handoff_gdb.py" \
    -ex "set tcp connect-timeout 30" \
    -ex "target remote 127.0.0.1:$port" -ex "hbreak kernel_entry" -ex continue "$@"
