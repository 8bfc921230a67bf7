#!/usr/bin/env bash
# Boot once and print the kernel's address space: the [map] lines of docs/LOG.md. Arguments are those
# of run.sh (--memory 16G, --cpu qemu64, …); words for the kernel go into CMDLINE.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/usage.sh
. "$root/scripts/usage.sh"
usage_help "$@"
output=$("$root/scripts/run.sh" --once --cmdline "print-map ${CMDLINE:-}" "$@" </dev/null) || {
    printf '%s\n' "$output" >&2
    exit 1
}
printf '%s\n' "$output" | sed -n 's/^\[map\] //p'
