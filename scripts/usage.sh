# shellcheck shell=bash
# For the scripts that source this file: the comment at their top is their help, and a wrong word is
# refused in one sentence.

# usage_help "$@": print the help and leave if it is asked for.
usage_help() {
    case ${1:-} in
    -h | --help)
        awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"
        exit 0
        ;;
    esac
}

# usage_refuse SENTENCE: leave with it, and where the rest is said.
usage_refuse() {
    echo "${0##*/}: $1 (--help says more)" >&2
    exit 2
}

# usage_no_words "$@": for a script without arguments.
usage_no_words() {
    usage_help "$@"
    if [ $# != 0 ]; then
        usage_refuse "unknown word '$1'"
    fi
}
