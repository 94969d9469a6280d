#!/usr/bin/env bash
# Installs what building and testing need on a Debian machine, and only what is missing. Says nothing when all is there.
# Starts and enables no service: the tests start their own Redis on a free port.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly GO_SOURCES=/usr/share/gocode/src # where Debian's -dev packages of Go put libraries
readonly APT_SECONDS=600

# What each package is for stands beside how it is found: a tool that came another way counts.
missing=()
need_command() { command -v "$2" >/dev/null || missing+=("$1"); }
need_file() { [[ -e $2 ]] || dpkg -s "$1" >/dev/null 2>&1 || missing+=("$1"); }
need_command redis-server redis-server                                                 # tests: the fleet's Redis
need_command redis-sentinel redis-sentinel                                             # tests: failover
need_command clang clang                                                               # Native AOT: the linker
need_file zlib1g-dev /usr/include/zlib.h                                               # Native AOT
need_command golang-go go                                                              # helm-render
need_file golang-github-masterminds-sprig-dev "$GO_SOURCES/github.com/Masterminds/sprig" # helm-render
need_file golang-k8s-sigs-yaml-dev "$GO_SOURCES/sigs.k8s.io/yaml"                      # helm-render
need_command shellcheck shellcheck                                                     # eng/*.sh

give_up() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

# global.json says which SDK; asking for its version from here is asking whether it is there.
dotnet --version >/dev/null 2>&1 || give_up "no .NET SDK that global.json accepts ($(tr -d ' \n' <global.json)). Install the .NET SDK 10 from https://dot.net."
((${#missing[@]} > 0)) || exit 0

by_hand="apt-get install --no-install-recommends ${missing[*]}"
command -v apt-get >/dev/null || give_up "missing: ${missing[*]} (Debian's names). This machine has no apt-get: install them its own way."
((EUID == 0)) || give_up "missing: ${missing[*]}. As root: $by_hand"

# invoke-rc.d and deb-systemd-invoke ask this file before they start anything; one that is there already is somebody's choice.
readonly POLICY=/usr/sbin/policy-rc.d
if [[ ! -e $POLICY ]]; then
  trap 'rm -f "$POLICY"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
fi

log=$(mktemp)
apt() {
  DEBIAN_FRONTEND=noninteractive timeout "$APT_SECONDS" apt-get -qq -o DPkg::Lock::Timeout=120 "$@" </dev/null >>"$log" 2>&1 ||
    give_up "apt-get $1 failed, its output is in $log and ends: $(tail -n 3 "$log" | tr '\n' ' '). By hand: $by_hand"
}
echo "setup: installing ${missing[*]}"
apt update
apt install -y --no-install-recommends "${missing[@]}"
for service in redis-server redis-sentinel; do
  # Only what was installed just now: a Redis that was here before runs or not as its owner likes.
  [[ " ${missing[*]} " != *" $service "* ]] || update-rc.d "$service" disable >>"$log" 2>&1 || true
done
rm -f "$log"
