#!/usr/bin/env bash
# Installs what the comparison needs on a Debian machine, and only what is missing: the peers, Redis, gnuplot. Says nothing when all is there.
# Starts and enables no service. Node.js and npm are left to the machine: without them the peer of the way in fails alone.
set -euo pipefail

readonly APT_SECONDS=600
missing=()
need_command() { command -v "$2" >/dev/null || missing+=("$1"); }
need_file() { [[ -e $2 ]] || missing+=("$1"); }
need_command redis-server redis-server
need_command nginx-light nginx
need_file libnginx-mod-http-lua /usr/lib/nginx/modules/ngx_http_lua_module.so
need_file lua-nginx-redis /usr/share/lua/5.1/nginx/redis.lua
need_command haproxy haproxy
need_command gnuplot-nox gnuplot
need_command clang clang
need_file zlib1g-dev /usr/include/zlib.h
command -v node >/dev/null && command -v npm >/dev/null || echo "setup: no node and npm: the way in is compared without BullMQ" >&2
((${#missing[@]} > 0)) || exit 0

by_hand="apt-get install --no-install-recommends ${missing[*]}"
give_up() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}
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
rm -f "$log"
