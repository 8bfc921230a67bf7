#!/usr/bin/env bash
# Unpack newer builds of OVMF for the tests, if a source of apt has them.
#
# The tests boot the build that is installed. Debian 13's OVMF (2025.02) also has a build with strict memory
# protection (strictnx). If apt knows such a version, this script downloads the package and unpacks it to
# build/firmware. It installs nothing. setup.sh calls it for the sets `test` and `develop`. It prints
# nothing if there is nothing to do.
#
# Without such a source, HANDOFF_FIRMWARE=FOLDER in the environment names a folder with other builds.
set -euo pipefail
# shellcheck source=scripts/usage.sh
. "$(dirname "${BASH_SOURCE[0]}")/usage.sh"
usage_no_words "$@"
for command in apt-get apt-cache dpkg; do
    command -v "$command" >/dev/null || exit 0
done
oldest=2025.02
folder=${BUILD:-$(dirname "${BASH_SOURCE[0]}")/../build}/firmware
lists=/var/lib/apt/lists

# Look again only if apt's lists have changed.
if [ -e "$folder/looked" ] && ! [ "$lists" -nt "$folder/looked" ]; then
    exit 0
fi
mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ] || exit 0

# Print the newest version that apt can download, if it is new enough.
newest_version() {
    local version newest=
    while read -r version; do
        if dpkg --compare-versions "$version" ge "${newest:-$oldest}"; then
            newest=$version
        fi
    done < <(apt-cache madison ovmf 2>/dev/null | awk '{ print $3 }')
    echo "$newest"
}

version=$(newest_version)
touch "$folder/looked"
if [ -z "$version" ] || [ -d "$folder/ovmf-$version" ]; then
    exit 0
fi
echo "firmware-builds.sh: unpacking ovmf $version to $folder" >&2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
if (cd "$scratch" && apt-get -qq download "ovmf=$version" >/dev/null 2>&1) &&
    dpkg -x "$scratch"/ovmf_*.deb "$scratch/files"; then
    mv "$scratch/files" "$folder/ovmf-$version"
else
    echo "firmware-builds.sh: ovmf $version cannot be downloaded; the tests leave it out" >&2
fi
