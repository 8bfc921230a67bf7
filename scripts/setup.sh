#!/usr/bin/env bash
# Install missing packages. Print nothing if no package is missing.
#
#   setup.sh build      packages for building, booting and images
#   setup.sh host       the same, and packages for the simulator and the lessons' exercises
#   setup.sh test       the same, and packages for the tests; firmware-builds.sh unpacks more firmware
#   setup.sh develop    the same, and packages for make format and make lint
#
# On Debian and Ubuntu, apt-get installs them, with sudo for a user other than root. On other systems,
# or without root and sudo, the script only prints the commands. The user decides there. A terminal shows
# the progress of apt-get.
set -euo pipefail
# shellcheck source=scripts/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"

usage_help "$@"
set_name=${1:-}
if [ -z "$(tools_sets "$set_name")" ] || [ $# != 1 ]; then
    usage_refuse "name one set: build, host, test or develop"
fi
manager=$(tools_manager)

# Print a line for each missing tool: its name, and its package here ('-' if it has no package).
missing_tools() {
    local check apt dnf pacman brew package
    tools_rows "$set_name" | while read -r _ check apt dnf pacman brew; do
        package=$(tools_package "$manager" "$apt" "$dnf" "$pacman" "$brew")
        # A package without a known name is installed in the next round.
        if [ -n "$package" ] && ! tools_present "$check"; then
            echo "${check#*:} $package"
        fi
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# apt WORDS...: run apt-get, and show its progress on a terminal.
#
# apt-get writes the progress into a file. In a pipe it would share the bytes with the scripts of the packages. Such a
# script fails when the pipe is full, because apt-get does not wait there.
apt() {
    local folder='' file=/dev/null reader='' result=0
    set -- -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@"
    if [ -t 2 ]; then
        folder=$(mktemp -d)
        file=$folder/status
        show_progress "$file" &
        reader=$!
        set -- -o APT::Status-Fd=3 "$@"
    fi
    # shellcheck disable=SC2016 # the inner shell expands these
    as_root env DEBIAN_FRONTEND=noninteractive sh -c 'file=$1; shift; exec apt-get "$@" 3>"$file"' \
        sh "$file" "$@" </dev/null >/dev/null || result=$?
    if [ -n "$folder" ]; then
        touch "$folder/end"
        wait "$reader"
        rm -rf "$folder"
    fi
    return "$result"
}

# show_progress FILE: show the newest line of apt-get in the file, until FILE's folder has the file `end`. A line is
# `dlstatus:…:PERCENT:WORDS` for the download, and `pmstatus:…:PERCENT:WORDS` for the installation.
show_progress() {
    local line kind='' started=$SECONDS percent left at_end=no
    while [ "$at_end" = no ]; do
        if [ -e "${1%/*}/end" ]; then
            at_end=yes
        else
            sleep 0.3
        fi
        line=$(tail -n 1 "$1" 2>/dev/null || true)
        [[ $line =~ ^(dlstatus|pmstatus):.*:([0-9]+)[.,][0-9]+:(.*)$ ]] || continue
        if [ "$kind" != "${BASH_REMATCH[1]}" ]; then
            kind=${BASH_REMATCH[1]} started=$SECONDS
        fi
        percent=${BASH_REMATCH[2]} left=
        if [ "$percent" -gt 0 ] && [ $((SECONDS - started)) -gt 0 ]; then
            left=", about $(((SECONDS - started) * (100 - percent) / percent)) s left"
        fi
        printf '\r\033[Ksetup.sh: %s %%%s: %.60s' "$percent" "$left" "${BASH_REMATCH[3]}" >&2
    done
    if [ -n "$kind" ]; then
        printf '\r\033[K' >&2
    fi
}

# Some packages are in Ubuntu's universe, which may be off on a minimal system.
needs_universe() {
    local package
    grep -q '^ID=ubuntu' /etc/os-release || return 1
    for package in "$@"; do
        apt-cache show "$package" >/dev/null 2>&1 || return 0
    done
    return 1
}

install_with_apt() {
    echo "setup.sh: installing $*" >&2
    apt update
    if needs_universe "$@"; then
        echo "setup.sh: enabling Ubuntu's universe" >&2
        apt install --no-install-recommends software-properties-common
        as_root add-apt-repository -y universe >/dev/null
        apt update
    fi
    apt install --no-install-recommends "$@"
}

# Print the commands of install_with_apt(), for a user who can become root.
print_apt_commands() {
    echo "    apt-get update"
    if needs_universe "$@"; then
        echo "    apt-get install --no-install-recommends software-properties-common"
        echo "    add-apt-repository -y universe"
        echo "    apt-get update"
    fi
    echo "    apt-get install --no-install-recommends $*"
}

# All packages are here. Tests use more firmware, if there is any.
finish() {
    case $set_name in
    test | develop) "$tools_root/scripts/firmware-builds.sh" ;;
    esac
    exit 0
}

# There are two rounds: some package names depend on the version of clang that the first round installs.
for _ in 1 2; do
    missing=$(missing_tools)
    [ -n "$missing" ] || finish
    packages=$(awk '$2 != "-" { print $2 }' <<<"$missing" | sort -u | tr '\n' ' ')
    without_package=$(awk '$2 == "-" { print $1 }' <<<"$missing" | tr '\n' ' ')
    packages=${packages% }
    if [ "$manager" = apt ] && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }; then
        # shellcheck disable=SC2086 # a list of words
        install_with_apt $packages
        continue
    fi
    {
        echo "setup.sh: packages are missing. Run these commands, then try again:"
        case $manager in
        apt)
            echo "    (as root, because there is no sudo)"
            # shellcheck disable=SC2086 # a list of words
            print_apt_commands $packages
            ;;
        dnf) [ -z "$packages" ] || echo "    sudo dnf install $packages" ;;
        pacman) [ -z "$packages" ] || echo "    sudo pacman -S --needed $packages" ;;
        brew) [ -z "$packages" ] || echo "    brew install $packages" ;;
        *) echo "    (your package manager) $packages    (make doctor lists the names on other systems)" ;;
        esac
        [ -z "$without_package" ] ||
            echo "setup.sh: $manager has no package for: $without_package(scripts/tools.txt says how to get them)"
    } >&2
    exit 1
done

missing=$(missing_tools)
if [ -n "$missing" ]; then
    echo "setup.sh: still missing after the installation: $missing" >&2
    exit 1
fi
finish
