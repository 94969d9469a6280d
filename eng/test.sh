#!/usr/bin/env bash
# Builds, checks and tests everything, the same here and in CI (CI=true: locked restore, nothing may be skipped quietly).
# One line a stage with its time; the output of each is in artifacts/test/. The last line: N passed, N failed, N skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The whole run is bounded: a hanging test must not hold a machine. `timeout` ends its process group, so children end too.
if [[ -z ${SENDPROXY_TEST_BOUNDED:-} ]]; then
  SENDPROXY_TEST_BOUNDED=1 exec timeout --kill-after=20 "${SENDPROXY_TEST_SECONDS:-4500}" bash "${BASH_SOURCE[0]}" "$@" </dev/null
fi

readonly LOGS=$PWD/artifacts/test SUITES=(SendProxy.Tests SendProxy.IntegrationTests)
readonly SUITE_SECONDS=1500
passed=0 failed=0 skipped=0
export SENDPROXY_BINARY=$PWD/artifacts/publish/linux-x64/sendproxy
[[ $(uname -m) != aarch64 ]] || SENDPROXY_BINARY=$PWD/artifacts/publish/linux-arm64/sendproxy
# No build server outlives the run, and none of another checkout is used.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false DOTNET_CLI_USE_MSBUILD_SERVER=0
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0 && passed > 0)) || exit 1
  exit 0
}
# What ends the run early counts as a failure, so that the last line is always there and always true.
trap 'failed=$((failed + 1)); echo "ended by a signal or after ${SECONDS} s"; finish' TERM INT HUP

# stage NAME COMMAND...: one line; when it fails, the end of its output and one failure.
stage() {
  local name=$1 begin=$SECONDS
  shift
  if "$@" >"$LOGS/$name.log" 2>&1 </dev/null; then
    printf '%-28s ok      %4d s\n' "$name" $((SECONDS - begin))
    return 0
  fi
  printf '%-28s FAILED  %4d s, %s\n' "$name" $((SECONDS - begin)) "$LOGS/$name.log"
  tail -n 40 "$LOGS/$name.log" | sed 's/^/    /'
  failed=$((failed + 1))
  return 1
}

# suite NAME: adds up "Total: N, Errors: N, Failed: N, Skipped: N". A process that ends without that line has crashed: one failure more.
suite() {
  local name=$1 begin=$SECONDS code=0 summary total errors fails skips
  timeout --kill-after=10 "$SUITE_SECONDS" "artifacts/bin/$name/release/$name" -noLogo -noColor -noAutoReporters -reporter default \
    >"$LOGS/$name.log" 2>&1 </dev/null || code=$?
  summary=$(grep -Eo 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "$LOGS/$name.log" | tail -n 1) || true
  read -r total errors fails skips < <(tr -c '0-9\n' ' ' <<<"${summary:-0 0 0 0}")
  passed=$((passed + total - fails - skips))
  skipped=$((skipped + skips))
  failed=$((failed + fails + errors))
  if ((code != 0 && fails + errors == 0)) || [[ -z $summary ]]; then
    failed=$((failed + 1))
    echo "$name ended with exit code $code and ${summary:-no summary}: a crash, or longer than $SUITE_SECONDS s"
  fi
  printf '%-28s %s  %4d s, %s\n' "$name" "$( ((code == 0)) && echo 'ok    ' || echo FAILED)" $((SECONDS - begin)) "${summary:-no summary}"
  ((code == 0)) || tail -n 200 "$LOGS/$name.log" | sed 's/^/    /'
}

mkdir -p "$LOGS"
stage setup bash eng/setup.sh || finish
stage shellcheck shellcheck .ci/run eng/*.sh eng/manifests/*.sh || true
locked=()
[[ ${CI:-} != true ]] || locked=(--locked-mode)
stage restore dotnet restore SendProxy.sln -v:minimal -tl:off "${locked[@]}" || finish
stage format dotnet format SendProxy.sln --verify-no-changes --no-restore || true
stage build dotnet build SendProxy.sln -c Release --no-restore -v:minimal -tl:off || finish
stage publish bash eng/publish.sh "$(basename "$(dirname "$SENDPROXY_BINARY")")" || finish
for name in "${SUITES[@]}"; do
  suite "$name"
done
finish
