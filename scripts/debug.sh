#!/usr/bin/env bash
# Boot with QEMU waiting for gdb, and stop at the kernel's first instruction with symbols loaded.
# Arguments go to gdb: debug.sh -batch -ex 'info registers rip'. PORT chooses another port.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
port=${PORT:-1234}
symbols=$root/build/kernel.debug.elf
serial=$root/build/debug-serial.log
python=$("$root/scripts/find-python.sh")

# A hardware breakpoint: the kernel's addresses are not mapped yet when it is set.
attach=(-ex "target remote 127.0.0.1:$port" -ex "hbreak kernel_entry" -ex continue)

if ! command -v gdb >/dev/null; then
    echo "debug.sh: gdb is not installed; QEMU waits for another debugger on port $port."
    echo "debug.sh: symbols: $symbols; break at kernel_entry"
    exec "$python" "$root/scripts/run.py" --gdb "$port"
fi

"$python" "$root/scripts/run.py" --gdb "$port" </dev/null >"$serial" 2>&1 &
machine=$!
trap 'kill -INT "$machine" 2>/dev/null || true; wait "$machine" 2>/dev/null || true' EXIT
echo "debug.sh: the serial console is in $serial"
gdb -q "$symbols" -ex "set confirm off" -ex "set tcp connect-timeout 30" "${attach[@]}" "$@"
