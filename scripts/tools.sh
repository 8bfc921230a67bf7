# shellcheck shell=bash
# Functions for scripts: they read the table of tools (tools.txt).

tools_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/usage.sh
. "$tools_root/scripts/usage.sh"
# mkfs.vfat and sgdisk are in folders that are not in every user's PATH.
PATH=$PATH:/usr/sbin:/sbin

# Print the package manager of this system: apt, dnf, pacman or brew. Print nothing for any other.
tools_manager() {
    local manager
    for manager in apt-get dnf pacman brew; do
        if command -v "$manager" >/dev/null; then
            echo "${manager%-get}"
            return
        fi
    done
}

# tools_sets SET: print the sets that a set includes: each one includes the sets before it.
tools_sets() {
    case $1 in
    build) echo " build " ;;
    host) echo " build host " ;;
    test) echo " build host test " ;;
    develop) echo " build host test develop " ;;
    esac
}

# tools_rows SET: print the rows of the table for a set and for the sets that it includes.
tools_rows() {
    local set check apt dnf pacman brew
    while read -r set check apt dnf pacman brew; do
        case $(tools_sets "$1") in
        *" $set "*) echo "$set $check $apt $dnf $pacman $brew" ;;
        esac
    done <"$tools_root/scripts/tools.txt"
}

# tools_package MANAGER APT DNF PACMAN BREW: print the name of the package, or '-'. Print nothing if
# the name contains clang's version and this version is not known yet.
tools_package() {
    local name version
    case $1 in
    apt) name=$2 ;;
    dnf) name=$3 ;;
    pacman) name=$4 ;;
    *) name=$5 ;;
    esac
    case $name in
    *@CLANG@*)
        version=$(tools_clang_version)
        [ -z "$version" ] || echo "${name//@CLANG@/$version}"
        ;;
    *) echo "$name" ;;
    esac
}

# Print the version of clang that is installed, or that apt would install.
tools_clang_version() {
    if command -v clang >/dev/null; then
        clang -dumpversion | cut -d. -f1
    elif command -v apt-cache >/dev/null; then
        apt-cache depends clang 2>/dev/null | sed -n 's/^ *Depends: clang-\([0-9]*\)$/\1/p'
    fi
}

# tools_require COMMAND: check that a command is installed, or fail with the name of its package.
tools_require() {
    local check apt dnf pacman brew package=
    command -v -- "$1" >/dev/null && return
    while read -r _ check apt dnf pacman brew; do
        if [ "${check#command:}" = "$1" ]; then
            package=$(tools_package "$(tools_manager)" "$apt" "$dnf" "$pacman" "$brew")
        fi
    done < <(tools_rows develop)
    echo "$1 is not installed${package:+: its package is $package}." >&2
    return 1
}

# tools_present CHECK: succeed if a tool of the table is installed.
tools_present() {
    local what=${1#*:} name
    case $1 in
    command:*)
        for name in ${what//,/ }; do
            command -v "$name" >/dev/null || return 1
        done
        ;;
    header:*)
        for name in /usr/include /usr/local/include /opt/homebrew/include; do
            [ -f "$name/$what" ] && return 0
        done
        return 1
        ;;
    python:*) "$("$tools_root/scripts/find-python.sh")" -c "import $what" 2>/dev/null ;;
    # The libraries of the sanitizers and of the fuzzer, in both layouts of the folder.
    compiler-rt)
        for name in "$(clang -print-resource-dir 2>/dev/null)"/lib/*/libclang_rt.fuzzer*.a; do
            [ -f "$name" ] && return 0
        done
        return 1
        ;;
    font)
        [ -n "${CONSOLE_FONT:-}" ] && return 0
        python3 "$tools_root/scripts/console-font.py" /dev/null >/dev/null 2>&1
        ;;
    # If the user names a file, do not install another one. The program that reads it reports mistakes.
    firmware)
        [ -n "${OVMF:-}" ] && return 0
        (cd "$tools_root/scripts" && python3 -c 'import firmware; firmware.installed()') 2>/dev/null
        ;;
    # Firmware of another family, for the tests. Where no package has it, they leave it out.
    u-boot)
        [ "$(tools_manager)" != apt ] || [ -f /usr/lib/u-boot/qemu-x86_64/u-boot.rom ]
        ;;
    # Other boot programs, which start the loader in the tests.
    systemd-boot)
        [ "$(tools_manager)" != apt ] || [ -f /usr/lib/systemd/boot/efi/systemd-bootx64.efi ]
        ;;
    grub)
        [ "$(tools_manager)" != apt ] || [ -f /usr/lib/grub/x86_64-efi/monolithic/grubx64.efi ]
        ;;
    # Only a machine with a display needs QEMU's window.
    window)
        [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && return 0
        qemu-system-x86_64 -display help 2>/dev/null | grep -q -E '^(gtk|sdl)$'
        ;;
    *)
        echo "tools.txt: unknown check $1" >&2
        return 1
        ;;
    esac
}
