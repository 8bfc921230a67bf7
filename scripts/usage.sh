# shellcheck shell=bash
# Functions for scripts: the comment at the top of a script is its help, and a wrong word is refused in
# one sentence.

# usage_help "$@": if the first word is --help, print the help and exit.
usage_help() {
    case ${1:-} in
    -h | --help)
        awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"
        exit 0
        ;;
    esac
}

# usage_refuse SENTENCE: print the sentence with a reference to --help, and exit with status 2.
usage_refuse() {
    echo "${0##*/}: $1 (see --help)" >&2
    exit 2
}

# usage_no_words "$@": refuse all words, for a script without arguments.
usage_no_words() {
    usage_help "$@"
    if [ $# != 0 ]; then
        usage_refuse "unknown word '$1'"
    fi
}
