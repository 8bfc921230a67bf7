#!/usr/bin/env bash
# Boot with QEMU waiting for gdb, and stop at the kernel's first instruction with symbols loaded.
# Arguments go to gdb: debug.sh -batch -ex 'info registers rip'. PORT chooses another port.
set -euo pipefail
# shellcheck source=scripts/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
port=${PORT:-1234}
symbols=$tools_root/build/kernel.debug.elf
serial=$tools_root/build/debug-serial.log

if ! tools_require gdb; then
    echo "debug.sh: for another debugger: scripts/run.sh --gdb $port; symbols: $symbols" >&2
    exit 1
fi

# In a process group of its own, so that a Ctrl-C that is meant for gdb does not end QEMU.
set -m
"$("$tools_root/scripts/find-python.sh")" "$tools_root/scripts/run.py" --gdb "$port" \
    </dev/null >"$serial" 2>&1 &
machine=$!
set +m
trap 'kill -TERM "$machine" 2>/dev/null || true; wait "$machine" 2>/dev/null || true' EXIT
echo "debug.sh: the serial console is in $serial"
# A hardware breakpoint: the kernel's addresses are not mapped yet when it is set.
gdb -q "$symbols" -ex "set confirm off" -ex "set tcp connect-timeout 30" \
    -ex "target remote 127.0.0.1:$port" -ex "hbreak kernel_entry" -ex continue "$@"
