#!/usr/bin/env bash
# The helm that eng/setup.sh installed, with nothing of this user's own settings. 127 when it is not there.
set -euo pipefail
# shellcheck source=eng/tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
[[ -x $HELM ]] || {
  echo "helm.sh: there is no $HELM; eng/setup.sh installs it" >&2
  exit 127
}
export HELM_CACHE_HOME=$TOOLS/helm-home/cache HELM_CONFIG_HOME=$TOOLS/helm-home/config HELM_DATA_HOME=$TOOLS/helm-home/data
exec "$HELM" "$@"
