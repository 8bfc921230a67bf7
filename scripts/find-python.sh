#!/bin/sh
# Print the Python that the scripts and tests run on: the first one that has pytest, so that a
# private Python in front of the distribution's in PATH does not hide the packaged modules.
for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import pytest' 2>/dev/null; then
        command -v "$candidate"
        exit 0
    fi
done
command -v python3 || echo python3
