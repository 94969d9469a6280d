#!/usr/bin/env bash
# Installs what building and testing need on a Debian machine, and only what is missing. Says nothing when all is there.
# Starts and enables no service: the tests start their own Redis on a free port.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=eng/apt.sh
source eng/apt.sh
# shellcheck source=eng/tools.sh
source eng/tools.sh

need_command redis-server redis-server                                                 # tests: the fleet's Redis
need_command redis-sentinel redis-sentinel                                             # tests: failover
need_command clang clang                                                               # Native AOT: the linker
need_file zlib1g-dev /usr/include/zlib.h                                               # Native AOT
need_command npm npm                                                                   # helm and the schemas of manifests
need_command nodejs node                                                               # the same
need_command unzip unzip                                                               # helm
need_command shellcheck shellcheck                                                     # eng/*.sh

# global.json says which SDK; asking for its version from here is asking whether it is there.
dotnet --version >/dev/null 2>&1 || give_up "no .NET SDK that global.json accepts ($(tr -d ' \n' <global.json)). Install the .NET SDK 10 from https://dot.net."
install_missing
install_helm
install_manifest_schemas
install_client_libraries
