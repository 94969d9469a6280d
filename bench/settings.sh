#!/usr/bin/env bash
# What settings of the process change: the same SendProxy under each, in interleaved rounds, closed loop and at a fixed rate.
# Usage: bash bench/settings.sh [ROUNDS] NAME:[VARIABLE=VALUE,...][@BINARY] ...     first one is what the others are compared with
#   bash bench/settings.sh 5 base: spin0:DOTNET_ThreadPool_UnfairSemaphoreSpinLimit=0 speed:@/tmp/speed/sendproxy
# Prints a line a setting: medians of CPU-us a request, requests/s, latencies in us, RSS. RATE=1000 LENGTH=2 CONNECTIONS=32 SCHEME=http|https, WAY=in for webhooks.
set -euo pipefail
# shellcheck source=bench/stage.sh
source "$(dirname "${BASH_SOURCE[0]}")/stage.sh"
rounds=5
[[ $1 == *:* ]] || { rounds=$1 && shift; }
readonly LENGTH=${LENGTH:-2} RATE=${RATE:-1000} CONNECTIONS=${CONNECTIONS:-32}
default=${SENDPROXY_BINARY:-$PWD/artifacts/publish/linux-x64/sendproxy}
stage
names=() ids=()
port=18310
for setting in "$@"; do
  variables=${setting#*:} binary=$default
  [[ $variables != *@* ]] || { binary=${variables#*@} && variables=${variables%%@*}; }
  IFS=, read -r -a list <<<"$variables"
  proxy "${setting%%:*}" "$port" "$binary" "${list[@]}"
  names+=("${setting%%:*}") ids+=("$proxy")
  port=$((port + 2))
done

measure() { # INDEX RATE: a line "cpu-us rps p50 p99 p999 rss"
  local before after report
  before=$(cpu "${ids[$1]}")
  report=$(load $((18310 + 2 * $1)) --connections "$CONNECTIONS" --rate "$2" --seconds "$LENGTH" --warmup 0.4)
  after=$(cpu "${ids[$1]}")
  awk -v ticks=$((after - before)) -v n="$(field all "$report")" 'BEGIN {printf "%.2f", ticks * 10000 / n}'
  printf ' %s %s %s %s %s\n' "$(field rate "$report")" "$(field p50 "$report")" "$(field p99 "$report")" "$(field p999 "$report")" "$(rss "${ids[$1]}")"
}
for ((round = 0; round < rounds + 1; round++)); do
  for i in "${!ids[@]}"; do
    at=$(((i + round) % ${#ids[@]}))
    for rate in 0 "$RATE"; do
      line=$(measure "$at" "$rate")
      # The first round warms up.
      ((round == 0)) || echo "$line" >>"$work/$at-$rate.txt"
    done
  done
done
medians() {
  awk -v field="$2" '{print $field}' "$1" | sort -n | awk '{v[NR] = $1} END {printf "%s", (v[int((NR + 1) / 2)] + v[int((NR + 2) / 2)]) / 2}'
}
spread() { awk '{print $1}' "$1" | sort -n | awk 'NR == 1 {low = $1} {high = $1} END {printf "%s-%s", low, high}'; }
printf '%-24s | closed: %8s %15s %9s %7s %7s | %s/s: %8s %15s %6s %6s %7s | %s\n' setting cpu-us '(spread)' req/s p99 RSS "$RATE" cpu-us '(spread)' p50 p99 p99.9 RSS
for i in "${!ids[@]}"; do
  c=$work/$i-0.txt o=$work/$i-$RATE.txt
  printf '%-24s |         %8s %15s %9s %7s %7s |         %8s %15s %6s %6s %7s | %s\n' "${names[$i]}" "$(medians "$c" 1)" "$(spread "$c")" "$(medians "$c" 2)" \
    "$(medians "$c" 4)" "$(medians "$c" 6)" "$(medians "$o" 1)" "$(spread "$o")" "$(medians "$o" 3)" "$(medians "$o" 4)" "$(medians "$o" 5)" "$(medians "$o" 6)"
done
echo "rounds $rounds of $LENGTH s, load average $(cut -d' ' -f1-3 /proc/loadavg), $(git rev-parse --short HEAD)"
