#!/usr/bin/env bash
# Print the kernel's mappings as a table. `print-map.sh --help` lists the options.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

print_help() {
    cat <<'HELP'
usage: print-map.sh [--raw] [OPTION OF run.sh...]
       print-map.sh [--raw] --log FILE

Boot once and print the kernel's mappings: name, address, size, access, and the number of pages of
each size. It takes about half a minute without hardware virtualization.

  --raw         print the [map] lines of the kernel's log (docs/LOG.md), for other programs
  --log FILE    do not boot, but read a saved serial log (- is standard input). The kernel must have
                had the word print-map on its command line
  --help        print this text

All other options are for run.sh (--memory 16G, --cpu qemu64, ...). CMDLINE in the environment has
words for the kernel.
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
    echo "print-map.sh: $1 is an option for a boot, and --log does not boot: leave out one of them" >&2
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
