#!/bin/sh
# Print the Python that the scripts and tests run on: the first one that has pytest, so that a
# private Python in front of the distribution's in PATH does not hide the packaged modules.
[ $# = 0 ] || case $1 in
-h | --help)
    sed -n '2,3s/^# //p' "$0"
    exit 0
    ;;
*)
    echo "find-python.sh: unknown word '$1' (--help says more)" >&2
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
