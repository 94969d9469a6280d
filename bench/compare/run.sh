#!/usr/bin/env bash
# Side by side: SendProxy and what a user would take instead, on this machine, in one run. Prints tables, writes bench/RESULTS.md and
# bench/plots. Bounded to 20 minutes, builds included; loopback only; ends what it started. Builds SendProxy unless SENDPROXY_BINARY names one.
# Usage: bash bench/compare/run.sh [--quick] [--only start,out,tls,features,in,outbox,growth,fault] [--rounds N] [--seconds N] [--page FILE] [--plots DIR]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly TOTAL_SECONDS=1200 SLACK_SECONDS=100
if [[ -z ${SENDPROXY_COMPARE_BOUNDED:-} ]]; then
  # Only the outermost is bounded, and what it ends gets time to end its own.
  SENDPROXY_COMPARE_BOUNDED=1 exec timeout --signal=INT --kill-after=20 "$TOTAL_SECONDS" bash "${BASH_SOURCE[0]}" "$@" </dev/null
fi

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false DOTNET_CLI_USE_MSBUILD_SERVER=0
rid=linux-x64
[[ $(uname -m) != aarch64 ]] || rid=linux-arm64
readonly OUT=$PWD/artifacts/bench LOG=$PWD/artifacts/bench/build.log
mkdir -p "$OUT/bullmq"
: >"$LOG"
build() {
  "$@" >>"$LOG" 2>&1 || {
    tail -n 30 "$LOG" >&2
    echo "run: $* failed; its output is in $LOG" >&2
    exit 1
  }
}

bash bench/compare/setup.sh
if [[ -z ${SENDPROXY_BINARY:-} ]]; then
  build bash eng/publish.sh "$rid"
  export SENDPROXY_BINARY=$PWD/artifacts/publish/$rid/sendproxy
fi
for project in SendProxy.Load:load BareYarp:bareyarp InProcess:inprocess; do
  build dotnet publish "bench/${project%%:*}" -c Release -r "$rid" -o "$OUT/${project##*:}" -tl:off -v:minimal
done
build dotnet build bench/SendProxy.Compare -c Release -tl:off -v:minimal
if command -v npm >/dev/null; then
  cp bench/compare/peers/bullmq/* "$OUT/bullmq/"
  # No script of a package runs: msgpackr does without its native part.
  (cd "$OUT/bullmq" && build npm ci --ignore-scripts --no-audit --no-fund --prefer-offline)
fi

ulimit -n "$(ulimit -Hn)"
exec artifacts/bin/SendProxy.Compare/release/sendproxy-compare "$@" --budget $((TOTAL_SECONDS - SLACK_SECONDS - SECONDS))
