#!/usr/bin/env bash
# List the needed tools, which of them are missing, and the packages that have them.
set -euo pipefail
# shellcheck source=scripts/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
usage_no_words "$@"

missing=0 # for building and testing
absent=0  # for make debug, format and lint
while read -r set check apt dnf pacman brew; do
    label=${check#*:}
    if tools_present "$check"; then
        printf 'ok       %s\n' "$label"
        continue
    fi
    if [ "$set" = develop ]; then
        absent=$((absent + 1))
        printf 'absent   %-36s' "$label"
    else
        missing=$((missing + 1))
        printf 'MISSING  %-36s' "$label"
    fi
    for manager in apt dnf pacman brew; do
        printf ' %s: %s;' "$manager" "$(tools_package "$manager" "$apt" "$dnf" "$pacman" "$brew")"
    done
    printf '\n'
done < <(tools_rows develop)

if command -v python3 >/dev/null; then
    (cd "$tools_root/scripts" && python3 - <<'PYTHON'
import firmware
import machine

try:
    print(f"firmware {firmware.find().code}")
except firmware.FirmwareNotFound as error:
    print(error)
print("KVM      works" if machine.kvm_works() else "KVM      does not work here: a boot takes seconds longer")
PYTHON
    )
fi
if [ "$absent" -gt 0 ]; then
    echo "$absent absent, only for make debug, format and lint: run scripts/setup.sh develop to install them"
fi
if [ "$missing" -gt 0 ]; then
    echo "$missing missing: run scripts/setup.sh test to install them on Debian and Ubuntu"
    exit 1
fi
