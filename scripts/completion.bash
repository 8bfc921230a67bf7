# shellcheck shell=bash
# Complete the options of the scripts in bash: . scripts/completion.bash
#
# The words come from each script's own --help, so they are always right. Only the scripts of this checkout are
# called. A script with the same name in another project has no completion.

_handoff_scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# _handoff_help COMMAND: print the help of a script of this checkout.
_handoff_help() {
    local path
    path=$(cd "$(dirname "$1")" 2>/dev/null && pwd)/${1##*/}
    if [ "$path" = "$_handoff_scripts/${1##*/}" ]; then
        "$path" --help 2>/dev/null </dev/null
    fi
}

# _handoff_words HELP NAME: print all words except values of options: options, the groups of test.sh, and the first
# words in the examples of a shell script.
_handoff_words() {
    grep -oE '^ +(-[a-z], )?--[a-z][a-z-]*' <<<"$1" | grep -oE -- '--[a-z-]+'
    sed -n '/^groups:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$1"
    sed -nE "s/^ +$2 ([a-z]+)( .*)?\$/\1/p" <<<"$1"
}

# _handoff_value HELP OPTION: print the form of an option's value: FILE, {tcg,kvm}, or nothing.
_handoff_value() {
    sed -nE "s/^ +(-[a-z], )?$2 (\{[^}]*\}|[A-Z][A-Z.a-z]*)( .*)?\$/\2/p" <<<"$1" | head -n 1
}

_handoff_complete() {
    local help value word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    help=$(_handoff_help "${COMP_WORDS[0]}")
    [ -n "$help" ] || return 0
    case $before in
    --*) value=$(_handoff_value "$help" "$before") ;;
    esac
    case ${value:-} in
    "{"*)
        value=${value#"{"}
        mapfile -t COMPREPLY < <(compgen -W "$(tr ',' ' ' <<<"${value%"}"}")" -- "$word")
        ;;
    *FILE* | *.svg) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    '') mapfile -t COMPREPLY < <(compgen -W "$(_handoff_words "$help" "${COMP_WORDS[0]##*/}")" -- "$word") ;;
    esac
}

for _handoff_name in "$_handoff_scripts"/*.sh; do
    case ${_handoff_name##*/} in
    tools.sh | usage.sh) ;;
    *) complete -o default -F _handoff_complete "${_handoff_name##*/}" ;;
    esac
done
unset _handoff_name
