#!/usr/bin/env bash
# Where a request's time goes: perf on a binary with symbols, closed loop, 32 connections; strace's counts; both to artifacts/bench/profile.
# Usage: bash bench/profile.sh [SECONDS]     RATE=1000 for an open loop, WAY=in for webhooks, CONNECTIONS=256, SENDPROXY_BINARY for another binary (published with -p:StripSymbols=false)
set -euo pipefail
# shellcheck source=bench/stage.sh
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"
readonly SECONDS_RUN=${1:-8} OUT=$PWD/artifacts/bench/profile RATE=${RATE:-0} CONNECTIONS=${CONNECTIONS:-32}
mkdir -p "$OUT"
binary=${SENDPROXY_BINARY:-}
if [[ -z $binary ]]; then
  binary=$OUT/binary/sendproxy
  dotnet publish src/SendProxy/SendProxy.csproj -c Release -r linux-x64 -o "$OUT/binary" -p:StripSymbols=false -v:quiet
fi
stage
proxy whole 18310 "$binary"
load 18310 --seconds 2 >/dev/null # warm

perf record -q -e cpu-clock -F 1999 --call-graph fp -o "$OUT/perf.data" -p "$proxy" -- sleep "$((SECONDS_RUN - 1))" >/dev/null 2>&1 &
recorder=$!
report=$(load 18310 --rate "$RATE" --connections "$CONNECTIONS" --seconds "$SECONDS_RUN")
wait "$recorder"
echo "$report" | tee "$OUT/load.json"
perf report -i "$OUT/perf.data" --no-children --sort symbol -g none --percent-limit 0.25 --stdio 2>/dev/null | grep -v '^#' | grep . >"$OUT/self.txt"
perf report -i "$OUT/perf.data" --children --sort symbol -g none --percent-limit 0.4 --stdio 2>/dev/null | grep -v '^#' | grep . >"$OUT/inclusive.txt"
perf report -i "$OUT/perf.data" --no-children --sort dso -g none --stdio 2>/dev/null | grep -v '^#' | grep . >"$OUT/dso.txt"
perf report -i "$OUT/perf.data" --no-children --sort comm -g none --stdio 2>/dev/null | grep -v '^#' | grep . >"$OUT/threads.txt"

timeout -s INT 5 strace -f -c -q -o "$OUT/strace.txt" -p "$proxy" >/dev/null 2>&1 &
tracer=$!
sleep 0.5
load 18310 --rate "$RATE" --connections "$CONNECTIONS" --seconds 3 >"$OUT/strace-load.json"
wait "$tracer" || true
head -n 25 "$OUT/self.txt"
cat "$OUT/dso.txt"
