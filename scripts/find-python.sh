#!/bin/sh
# Print the Python for the scripts and tests: the first one that has pytest. A private Python may come
# before the distribution's Python in PATH, and would then hide the packaged modules.
[ $# = 0 ] || case $1 in
-h | --help)
    sed -n '2,3s/^# //p' "$0"
    exit 0
    ;;
*)
    echo "find-python.sh: unknown word '$1' (see --help)" >&2
    exit 2
    ;;
esac
for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import pytest' 2>/dev/null; then
        command -v "$candidate"
        exit 0
    fi
done
command -v python3 || echo python3
