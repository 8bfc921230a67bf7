#!/usr/bin/env bash
# Start a kernel of your own: copy an example, the loader and handoff.h into a new folder.
#
#   new-kernel.sh DIR c        a kernel in C (docs/examples/kernel-c)
#   new-kernel.sh DIR rust     a kernel in Rust (docs/examples/kernel-rust)
#
# `make new-kernel DIR=… LANG=c` calls it. DIR must be new or empty, and outside of this
# checkout. Then `make run` in DIR builds the kernel and boots it in QEMU.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/usage.sh
. "$root/scripts/usage.sh"
usage_help "$@"

# The sentences name LANG=, because most users call make.
if [ $# != 2 ] || [ -z "$1" ]; then
    usage_refuse "name a folder and a language: make new-kernel DIR=../first LANG=c"
fi
case $1 in
-*) usage_refuse "unknown option '$1': the first word is the folder" ;;
esac
folder=$1
if [ -n "${HOME:-}" ]; then
    folder=${1/#\~\//$HOME/}
fi
language=$2
case $language in
c | rust) ;;
"") usage_refuse "name a language: LANG=c or LANG=rust" ;;
*) usage_refuse "unknown language '$language': LANG=c or LANG=rust" ;;
esac
if [ -e "$folder" ] && [ ! -d "$folder" ]; then
    usage_refuse "$folder is not a folder"
fi
if [ -d "$folder" ] && [ -n "$(ls -A "$folder")" ]; then
    usage_refuse "$folder is not empty: name a new folder"
fi
case $(realpath -m -- "$folder")/ in
"$root"/*) usage_refuse "$folder is in the checkout of Handoff: name a folder outside of it" ;;
esac

"$root/scripts/build.sh" build
if ! mkdir -p -- "$folder" 2>/dev/null || [ ! -w "$folder" ]; then
    usage_refuse "$folder cannot be written"
fi
volume=$root/esp
if [ -n "${BUILD:-}" ] && [ "$(realpath -m -- "$BUILD")" != "$root/build" ]; then
    volume=$(realpath -m -- "$BUILD")/esp
fi
cp -R -- "$root/docs/examples/kernel-$language/." "$folder"
make -s --no-print-directory -C "$folder" clean
mkdir -p -- "$folder/loader"
cp -- "$volume/EFI/BOOT/BOOTX64.EFI" "$root/shared/handoff.h" "$root/shared/handoff_note.h" \
    "$root/docs/HANDOFF.md" "$root/LICENSE" "$folder/loader"
printf 'new-kernel.sh: the kernel is in %s. Build it and boot it: make -C %q run\n' "$folder" "$folder"
