#!/usr/bin/env bash
# Fail with one sentence that names the package unless a command is there: require.sh COMMAND
set -euo pipefail
# shellcheck source=scripts/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
usage_help "$@"
if [ -z "${1:-}" ] || [ $# != 1 ]; then
    usage_refuse "name one command"
fi
tools_require "$1"
