#!/usr/bin/env bash
# Fail with one sentence that names the package unless a command is there: require.sh COMMAND
set -euo pipefail
# shellcheck source=scripts/tools.sh
. "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
tools_require "$1"
