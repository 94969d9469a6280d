#!/usr/bin/env bash
# A first look at speed: the published proxy beside nginx as a plain reverse proxy, before the same sandbox, in one run.
# The full comparison (limits, TLS, open loop, peers with a limit) is an issue of its own. Loopback only; bounded to some two minutes.
# Usage: bash bench/quick/run.sh [seconds a round] [rounds]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly SECONDS_ROUND=${1:-6} ROUNDS=${2:-3}
readonly PROXY=${SENDPROXY_BINARY:-$PWD/artifacts/publish/linux-x64/sendproxy}
readonly SANDBOX=$PWD/artifacts/bin/SendProxy.Sandbox/release/sendproxy-sandbox
for tool in nginx wrk; do
  command -v "$tool" >/dev/null || { echo "needs $tool (Debian: nginx-light wrk)" >&2; exit 1; }
done
[[ -x $PROXY && -x $SANDBOX ]] || { echo "build first: bash eng/publish.sh; dotnet build -c Release" >&2; exit 1; }

work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

"$SANDBOX" serve --http 127.0.0.1:0 --key sk_live_bench0123456789 --max-ledger 1000 --max-requests 1000 --max-messages 1000 \
  --max-tracked 1000 --max-idempotency-keys 1000 >"$work/sandbox.log" &
pids+=($!)
until grep -q listening "$work/sandbox.log"; do sleep 0.1; done
vendor=$(sed -n 's/^listening //p' "$work/sandbox.log")

printf 'sk_live_bench0123456789\n' >"$work/key"
cat >"$work/proxy.yaml" <<Y
version: 1
listen: { egress: ["127.0.0.1:0"], webhooks: ["127.0.0.1:0"], metrics: ["127.0.0.1:0"] }
upstreams: { sendapi: { preset: sendapi, address: "$vendor", allowInsecureLoopback: true, credential: { file: key } } }
limits: { plan: { rate: 1000000/s } }
Y
begin=$(date +%s%N)
"$PROXY" --config "$work/proxy.yaml" >"$work/proxy.log" 2>&1 &
proxy=$!
pids+=("$proxy")
until grep -q '"Listener":"egress"' "$work/proxy.log"; do sleep 0.005; done
echo "start, exec to listening: $((($(date +%s%N) - begin) / 1000000)) ms"
egress=$(grep '"Listener":"egress"' "$work/proxy.log" | sed 's/.*"Address":"\([^"]*\)".*/\1/')
sleep 2
rss() { awk '/VmRSS/ {printf "%.1f MB", $2 / 1024}' "/proc/$1/status"; }
cpu() { awk '{print ($14 + $15)}' "/proc/$1/stat"; }
echo "idle RSS: $(rss "$proxy"); binary: $(du -h "$PROXY" | cut -f1)"

cat >"$work/nginx.conf" <<N
worker_processes 1; pid $work/nginx.pid; error_log $work/nginx.err; daemon off;
events { worker_connections 1024; }
http {
  access_log $work/nginx.access;
  upstream vendor { server ${vendor#http://}; keepalive 64; }
  server { listen 127.0.0.1:18099; location / { proxy_pass http://vendor; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_set_header Authorization "Bearer sk_live_bench0123456789"; proxy_set_header Idempotency-Key \$request_id; } }
}
N
nginx -c "$work/nginx.conf" 2>/dev/null &
pids+=($!)
until curl -s -o /dev/null http://127.0.0.1:18099/; do sleep 0.1; done
worker=$(pgrep -P "${pids[-1]}" | head -1)

cat >"$work/post.lua" <<'L'
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"to":"+491701234567","from":"Shop","text":"' .. string.rep("a", 950) .. '"}'
L
round() { # NAME URL PID
  local before after out
  before=$(cpu "$3")
  out=$(wrk -t1 -c32 -d"${SECONDS_ROUND}s" --latency -s "$work/post.lua" "$2/v1/sms/send")
  after=$(cpu "$3")
  awk -v name="$1" -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" -v rss="$(rss "$3")" '
    /requests in/ {n = $1} /Requests\/sec/ {rps = $2} /99%/ {p99 = $2} /50%/ {p50 = $2} /Non-2xx/ {bad = $NF}
    END {printf "%-10s %8.0f requests/s  p50 %-9s p99 %-9s %6.1f CPU-us/request  RSS %s  not 2xx: %d\n", name, rps, p50, p99, ticks / hz * 1e6 / n, rss, bad}' <<<"$out"
}
echo "load average: $(cut -d' ' -f1-3 /proc/loadavg)"
for ((i = 0; i < ROUNDS; i++)); do
  round nginx http://127.0.0.1:18099 "$worker"
  round sendproxy "$egress" "$proxy"
done
