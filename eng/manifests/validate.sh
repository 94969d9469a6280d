#!/usr/bin/env bash
# Validates rendered manifests strictly against the published schemas. Usage: eng/manifests/validate.sh FILE... 127 without the schemas.
set -euo pipefail
# shellcheck source=eng/tools.sh
source "$(dirname "${BASH_SOURCE[0]}")/../tools.sh"
[[ -d $MANIFEST_SCHEMAS ]] || {
  echo "validate.sh: there is no $MANIFEST_SCHEMAS; eng/setup.sh installs it" >&2
  exit 127
}
exec node "$(dirname "${BASH_SOURCE[0]}")/validate.mjs" "$MANIFEST_SCHEMAS" "$@"
