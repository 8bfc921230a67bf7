#!/usr/bin/env bash
# Install what is missing. Silent when nothing is.
#
#   setup.sh build      what building, booting and images need
#   setup.sh test       that, and what the tests need
#   setup.sh develop    that, and gdb and what make format and make lint call
#
# Debian and Ubuntu are served by apt-get, with sudo when not root. Elsewhere, or without either,
# the exact commands are printed, since it is not ours to choose how such a system is kept.
set -euo pipefail
# shellcheck source=scripts/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"

usage_help "$@"
set_name=${1:-}
if [ -z "$(tools_sets "$set_name")" ] || [ $# != 1 ]; then
    usage_refuse "name one set: build, test or develop"
fi
manager=$(tools_manager)

# A line for each tool that is missing: its name, and its package here ('-': none).
missing_tools() {
    local check apt dnf pacman brew package
    tools_rows "$set_name" | while read -r _ check apt dnf pacman brew; do
        package=$(tools_package "$manager" "$apt" "$dnf" "$pacman" "$brew")
        # Without a name yet, it is for the next round.
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

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
        -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Several of the packages are in Ubuntu's universe, which a minimal system may have switched off.
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
        apt install --no-install-recommends software-properties-common >/dev/null
        as_root add-apt-repository -y universe >/dev/null
        apt update
    fi
    apt install --no-install-recommends "$@" >/dev/null
}

# What install_with_apt() would do, for someone who may.
print_apt_commands() {
    echo "    apt-get update"
    if needs_universe "$@"; then
        echo "    apt-get install --no-install-recommends software-properties-common"
        echo "    add-apt-repository -y universe"
        echo "    apt-get update"
    fi
    echo "    apt-get install --no-install-recommends $*"
}

# Two rounds: the second names what depends on the version of clang that the first one installed.
for _ in 1 2; do
    missing=$(missing_tools)
    [ -n "$missing" ] || exit 0
    packages=$(awk '$2 != "-" { print $2 }' <<<"$missing" | sort -u | tr '\n' ' ')
    without_package=$(awk '$2 == "-" { print $1 }' <<<"$missing" | tr '\n' ' ')
    packages=${packages% }
    if [ "$manager" = apt ] && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }; then
        # shellcheck disable=SC2086 # a list of words
        install_with_apt $packages
        continue
    fi
    {
        echo "setup.sh: something is missing. Run this, then try again:"
        case $manager in
        apt)
            echo "    (as root: there is no sudo)"
            # shellcheck disable=SC2086 # a list of words
            print_apt_commands $packages
            ;;
        dnf) [ -z "$packages" ] || echo "    sudo dnf install $packages" ;;
        pacman) [ -z "$packages" ] || echo "    sudo pacman -S --needed $packages" ;;
        brew) [ -z "$packages" ] || echo "    brew install $packages" ;;
        *) echo "    your package manager, for $packages (make doctor has the names elsewhere)" ;;
        esac
        [ -z "$without_package" ] ||
            echo "setup.sh: $manager has no package for: $without_package(see scripts/tools.txt)"
    } >&2
    exit 1
done

missing=$(missing_tools)
if [ -n "$missing" ]; then
    echo "setup.sh: still missing after the installation: $missing" >&2
    exit 1
fi
