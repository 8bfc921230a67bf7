#!/usr/bin/env bash
# Check that a command is installed, or fail with the name of its package: require.sh COMMAND
set -euo pipefail
# shellcheck source=scripts/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
usage_help "$@"
if [ -z "${1:-}" ] || [ $# != 1 ]; then
    usage_refuse "name one command"
fi
tools_require "$1"
