#!/usr/bin/env bash
# Check the code without running it: format, static analysis, shell scripts. A check whose tool is not
# installed is skipped with a message.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
# shellcheck source=scripts/tools.sh
. scripts/tools.sh
usage_no_words "$@"
failures=0

check() {
    local name=$1 missing
    shift
    if ! missing=$(tools_require "$1" 2>&1); then
        echo "lint: $name: skipped: $missing"
        return
    fi
    if "$@"; then
        echo "lint: $name: ok"
    else
        echo "lint: $name: FAILED"
        failures=$((failures + 1))
    fi
}

if [ ! -f compile_commands.json ]; then
    usage_refuse "compile_commands.json does not exist: run make lint, which writes it"
fi
mapfile -t c_files < <(find bootloader kernel host lessons shared tests docs/learn/solutions -name '*.[ch]' | sort)
mapfile -t compiled < <(sed -n 's/^ *"file": "\(.*\)",$/\1/p' compile_commands.json |
    grep -E '^(bootloader|kernel|shared)/' | grep -v -E -x "kernel/diagnostics/provoke(_heap)?.c") # bugs on purpose
mapfile -t shell_files < <(find scripts .ci -name '*.sh' -o -path '.ci/run' | sort)

check "format" clang-format --dry-run -Werror "${c_files[@]}"
check "shell" shellcheck -x "${shell_files[@]}"
# Some checks are off. -Wconversion is better than one of them, and another does not recognise a va_list in a
# structure.
tidy_checks='-*,clang-analyzer-*,-clang-analyzer-valist.Uninitialized'
tidy_checks+=',-clang-analyzer-security.insecureAPI.*,bugprone-*'
tidy_checks+=',-bugprone-easily-swappable-parameters,-bugprone-reserved-identifier'
tidy_checks+=',-bugprone-implicit-widening-of-multiplication-result'
tidy_checks+=',-bugprone-narrowing-conversions,-bugprone-branch-clone'

check "analysis" clang-tidy --quiet -p . --warnings-as-errors='*' --checks="$tidy_checks" \
    "${compiled[@]}"
# Clang's analyzer finds null pointers better, and without false alarms. cppcheck needs a name for each #include.
check "cppcheck" cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,portability \
    --inline-suppr --suppress=missingIncludeSystem --suppress=nullPointer -i kernel/diagnostics/provoke.c -i kernel/diagnostics/provoke_heap.c -i kernel/diagnostics/sanitizer/undefined_provoke.c \
    -i kernel/diagnostics/sanitizer/address_provoke.c '-DPAGE_ENTRY_FORMAT="shared/arch/x86_64/page_entry.h"' -I . kernel shared bootloader

[ "$failures" = 0 ]
