#!/usr/bin/env bash
# Build targets of the Makefile and print only warnings and errors: build.sh TARGET...
# BUILD=DIR in the environment names another folder than build/.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# shellcheck source=scripts/usage.sh
. "$root/scripts/usage.sh"
usage_help "$@"
if [ $# = 0 ]; then
    usage_refuse "name a target"
fi
for target in "$@"; do
    if ! grep -q "^$target:" "$root/Makefile"; then
        usage_refuse "unknown target '$target': make help lists them"
    fi
done
folder=${BUILD:-$root/build}
case $folder in
/*) ;;
*) folder=$PWD/$folder ;;
esac
if [ -n "${BUILD:-}" ]; then
    export BUILD=$folder
    make -C "$root" --no-print-directory -n help >/dev/null || exit 2 # make refuses the name
fi

build() {
    make -C "$root" --no-print-directory --silent -j "$(getconf _NPROCESSORS_ONLN)" "$@"
}

if [ -e "$folder" ] && [ ! -d "$folder" ]; then
    usage_refuse "BUILD=$folder is not a folder"
fi
if mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ] && { [ -n "${BUILD:-}" ] || [ -w "$root/esp" ]; }; then
    build "$@"
elif ! build "$@" >/dev/null 2>&1; then
    echo "$folder cannot be written, and some files in it are not built: BUILD=DIR names another folder" >&2
    exit 1
fi
