#!/usr/bin/env bash
# Sourced by profile.sh and settings.sh: an upstream, a Redis and SendProxies as bench/compare has them, for as long as the script runs.
# WAY=in measures the webhooks' way instead of the sends'.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly WAY=${WAY:-out} PEERS=$PWD/bench/compare/peers WEBHOOK_SECRET=whsec_c2VuZHByb3h5LWJlbmNoLXNlY3JldC0wMTIzNDU2Nzg5 LOAD=$PWD/artifacts/bench/load/sendproxy-load
work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
[[ -x $LOAD ]] || dotnet publish bench/SendProxy.Load -c Release -r "linux-$([[ $(uname -m) == aarch64 ]] && echo arm64 || echo x64)" -o artifacts/bench/load -v:quiet

# fill TEMPLATE FILE NAME=VALUE...
fill() {
  local text pair
  text=$(<"$PEERS/$1")
  for pair in "${@:3}" "DIR=$work" "DATA=$work" "PEERS=$PEERS" KEY=sk_live_bench0123456789; do
    text=${text//@${pair%%=*}@/${pair#*=}}
  done
  printf '%s\n' "$text" >"$work/$2"
}

stage() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout "$work/upstream.key" -out "$work/upstream.crt" 2>/dev/null
  (umask 077 && printf 'sk_live_bench0123456789\n' >"$work/key" && printf '%s\n' "$WEBHOOK_SECRET" >"$work/whsec" && openssl rand -base64 32 >"$work/seal")
  fill upstream.conf upstream.conf HTTP=18300 TLS=18301
  nginx -c "$work/upstream.conf" 2>/dev/null &
  pids+=($!)
  redis-server --port 18302 --bind 127.0.0.1 --save '' --dir "$work" >/dev/null &
  pids+=($!)
}

# proxy NAME PORT BINARY [VARIABLE=VALUE...]: starts one and waits for its first answer; leaves its id in $proxy.
proxy() {
  local template=sendproxy.yaml
  [[ $WAY != in ]] || template=webhooks.yaml
  fill "$template" "$1.yaml" "NAME=$1" "PORT=$2" "PORT2=$(($2 + 1))" SCHEME="${SCHEME:-http}" UP_HOST=127.0.0.1 \
    PORT_UP="$([[ ${SCHEME:-http} == https ]] && echo 18301 || echo 18300)" \
    TLS="$([[ ${SCHEME:-http} != https ]] || echo "tls: { caFile: $work/upstream.crt }")" RETRY= 'LIMITS=limits: { plan: { rate: 100000/s } }' \
    'FLEET=fleet: { redis: { connection: "127.0.0.1:18302" } }' GUARD= "TELEMETRY=${TELEMETRY:-}" 'SEAL=, sealKeys: [{ file: seal }]'
  env "${@:4}" "$3" --config "$work/$1.yaml" >"$work/$1.log" 2>&1 &
  proxy=$!
  pids+=("$proxy")
  local i
  for ((i = 0; i < 500; i++)); do
    load "$2" --connections 1 --warmup 0 --seconds 0.1 2>/dev/null | grep -q '"ok":[1-9]' && return 0
    sleep 0.02
  done
  tail -n 5 "$work/$1.log" >&2
  return 1
}

# load PORT [OPTION...]: the generator's report.
load() {
  case $WAY in
    in) "$LOAD" --url "http://127.0.0.1:$1/webhooks/sendapi" --sign "$WEBHOOK_SECRET" "${@:2}" ;;
    *) "$LOAD" --url "http://127.0.0.1:$1/v1/sms/send" "${@:2}" ;;
  esac
}

# cpu PID: in ticks of 10 ms. rss PID: in MiB.
cpu() { awk '{sub(/^.*\) /, ""); print $12 + $13}' "/proc/$1/stat"; }
rss() { awk '/VmRSS/ {printf "%.1f", $2 / 1024}' "/proc/$1/status"; }
field() { sed -E "s/.*\"$1\":([0-9.]+).*/\1/" <<<"$2"; }
