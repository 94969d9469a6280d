#!/usr/bin/env bash
# Installs what the comparison needs on a Debian machine, and only what is missing: the peers, Redis, gnuplot. Says nothing when all is there.
# Starts and enables no service. Node.js and npm are left to the machine: without them the peer of the way in fails alone.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=eng/apt.sh
source eng/apt.sh

need_command redis-server redis-server
need_command nginx-light nginx
need_file libnginx-mod-http-lua /usr/lib/nginx/modules/ngx_http_lua_module.so
need_file lua-nginx-redis /usr/share/lua/5.1/nginx/redis.lua
need_command haproxy haproxy
need_command gnuplot-nox gnuplot
need_command clang clang
need_file zlib1g-dev /usr/include/zlib.h
command -v node >/dev/null && command -v npm >/dev/null || echo "setup: no node and npm: the way in is compared without BullMQ" >&2
install_missing
