# shellcheck shell=bash
# The table of tools (tools.txt) for setup.sh and doctor.sh, which source this file.

tools_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# mkfs.vfat and sgdisk are in places that are not in every user's PATH.
PATH=$PATH:/usr/sbin:/sbin

# The package manager of this system: apt, dnf, pacman or brew; empty if none is known.
tools_manager() {
    local manager
    for manager in apt-get dnf pacman brew; do
        if command -v "$manager" >/dev/null; then
            echo "${manager%-get}"
            return
        fi
    done
}

# tools_rows SET: the rows of the table for `build`, or for `test` (which includes build).
tools_rows() {
    local set check apt dnf pacman brew
    while read -r set check apt dnf pacman brew; do
        case $set in
        '' | '#'*) continue ;;
        esac
        if [ "$1" = test ] || [ "$set" = build ]; then
            echo "$check $apt $dnf $pacman $brew"
        fi
    done <"$tools_root/scripts/tools.txt"
}

# tools_package MANAGER APT DNF PACMAN BREW: the package's name there, or '-'.
tools_package() {
    local name
    case $1 in
    apt) name=$2 ;;
    dnf) name=$3 ;;
    pacman) name=$4 ;;
    *) name=$5 ;;
    esac
    echo "${name//@CLANG@/$(tools_clang_version)}"
}

tools_clang_version() {
    clang -dumpversion 2>/dev/null | cut -d. -f1
}

# tools_present CHECK: whether a tool of the table is there.
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
    # Whether the sanitizers and the fuzzer can be linked: in either layout of the directory.
    compiler-rt)
        for name in "$(clang -print-resource-dir 2>/dev/null)"/lib/*/libclang_rt.fuzzer*.a; do
            [ -f "$name" ] && return 0
        done
        return 1
        ;;
    font) python3 "$tools_root/scripts/console-font.py" /dev/null >/dev/null 2>&1 ;;
    firmware) (cd "$tools_root/scripts" && python3 -c 'import firmware; firmware.find()') 2>/dev/null ;;
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
