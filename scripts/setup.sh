#!/usr/bin/env bash
# Install what is missing. Silent when nothing is.
#
#   setup.sh build    what building and booting need
#   setup.sh test     that, and what the tests need
#
# Debian and Ubuntu are served by apt-get (with sudo when not root); elsewhere the exact command is
# printed, since it is not ours to choose how such a system is kept.
set -euo pipefail
# shellcheck source=scripts/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"

set_name=${1:-}
if [ "$set_name" != build ] && [ "$set_name" != test ]; then
    echo "usage: setup.sh build|test" >&2
    exit 2
fi
manager=$(tools_manager)

# Print the packages of what is missing; a tool without a package is named by its check.
missing_packages() {
    local check apt dnf pacman brew name
    tools_rows "$set_name" | while read -r check apt dnf pacman brew; do
        # A package that is named after clang's version can only be named once clang is there.
        case $apt in
        *@CLANG@*) command -v clang >/dev/null || continue ;;
        esac
        if ! tools_present "$check"; then
            name=$(tools_package "$manager" "$apt" "$dnf" "$pacman" "$brew")
            [ "$name" = - ] && name=$check
            echo "$name"
        fi
    done | sort -u
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "setup.sh: not root and no sudo; as root, run: $*" >&2
        exit 1
    fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
        -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Several of the packages are in Ubuntu's universe, which a minimal system may have switched off.
enable_universe() {
    local package
    grep -q '^ID=ubuntu' /etc/os-release || return 0
    for package in "$@"; do
        if ! apt-cache show "$package" >/dev/null 2>&1; then
            echo "setup.sh: enabling Ubuntu's universe for $package" >&2
            apt install --no-install-recommends software-properties-common >/dev/null
            as_root add-apt-repository -y universe >/dev/null
            apt update
            return 0
        fi
    done
}

install_with_apt() {
    echo "setup.sh: installing $*" >&2
    apt update
    enable_universe "$@"
    apt install --no-install-recommends "$@" >/dev/null
}

# Two rounds: the second names what depends on the version of clang that the first one installed.
for _ in 1 2; do
    packages=$(missing_packages | tr '\n' ' ')
    [ -n "$packages" ] || exit 0
    case $manager in
    apt)
        # shellcheck disable=SC2086 # a list of words
        install_with_apt $packages
        ;;
    dnf) install="sudo dnf install $packages" ;;
    pacman) install="sudo pacman -S --needed $packages" ;;
    brew) install="brew install $packages" ;;
    *) install="your system's package manager: $packages (make doctor lists their names elsewhere)" ;;
    esac
    if [ "$manager" != apt ]; then
        echo "setup.sh: something is missing. Install it with: $install" >&2
        exit 1
    fi
done

packages=$(missing_packages | tr '\n' ' ')
if [ -n "$packages" ]; then
    echo "setup.sh: still missing after the installation: $packages" >&2
    exit 1
fi
