#!/usr/bin/env bash
# Print what the kernel has mapped, as a table. `print-map.sh --help` lists the options.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

print_help() {
    cat <<'HELP'
usage: print-map.sh [--raw] [OPTION OF run.sh...]
       print-map.sh [--raw] --log FILE

Boot once and print what the kernel has mapped: its name, where it begins, its size, access, and
with how many pages of which size. About half a minute without hardware virtualization.

  --raw         the [map] lines as the kernel logs them (docs/LOG.md), for other programs
  --log FILE    do not boot: read a log that was saved from a serial line (- is standard input) of a
                kernel with the word print-map on its command line
  --help        this

Everything else is for run.sh (--memory 16G, --cpu qemu64, ...); words for the kernel go into CMDLINE.
HELP
}

form=table
log=
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        print_help
        exit 0
        ;;
    --raw) form=raw ;;
    --log)
        log=${2:-}
        [ -n "$log" ] || {
            echo "print-map.sh: --log needs the name of a file" >&2
            exit 1
        }
        shift
        ;;
    *) break ;;
    esac
    shift
done
if [ -n "$log" ] && [ $# -gt 0 ]; then
    echo "print-map.sh: $1 is for a boot, and --log boots nothing" >&2
    exit 1
fi

read_log() {
    if [ -z "$log" ]; then
        output=$("$root/scripts/run.sh" --once --cmdline "print-map ${CMDLINE:-}" "$@" </dev/null) || {
            printf '%s' "${output:+$output
}" >&2
            return 1
        }
        printf '%s\n' "$output"
    elif [ "$log" = - ]; then
        cat
    elif [ -r "$log" ] && [ ! -d "$log" ]; then
        cat "$log"
    else
        echo "print-map.sh: $log cannot be read" >&2
        return 1
    fi
}

text=$(read_log "$@")
if [ "$form" = raw ]; then
    printf '%s\n' "$text" | tr -d '\r' | sed -n 's/^.*\[map\] //p'
else
    printf '%s\n' "$text" | "$("$root/scripts/find-python.sh")" "$root/host/simulator/kernel_map.py"
fi
