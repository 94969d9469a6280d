#!/usr/bin/env bash
# Runs a campaign in its long form against the published binary. Usage: eng/campaign.sh rotation [seconds] [requests per second]
# rotation: keys change under load in each of four ways, which share the seconds (60); and one control that must fail requests.
# Figures go to standard output and to artifacts/campaigns/NAME.txt; the last ones stand in docs/CAMPAIGNS.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

give_up() {
  printf 'campaign: %s\n' "$*" >&2
  exit 1
}

name=${1:-}
[[ $name == rotation ]] || give_up "usage: eng/campaign.sh rotation [seconds] [requests per second]"
seconds=${2:-60} rate=${3:-1000} ways=4
[[ $seconds =~ ^[0-9]+$ && $rate =~ ^[0-9]+$ ]] || give_up "seconds and requests per second are whole numbers"
rid=linux-x64
[[ $(uname -m) != aarch64 ]] || rid=linux-arm64
export SENDPROXY_BINARY=${SENDPROXY_BINARY:-$PWD/artifacts/publish/$rid/sendproxy}
[[ -x $SENDPROXY_BINARY ]] || bash eng/publish.sh "$rid"
dotnet build tests/SendProxy.IntegrationTests -c Release -nologo -tl:off -v:quiet

report=$PWD/artifacts/campaigns/$name.txt
mkdir -p "${report%/*}"
printf '%s at %s, commit %s, %s cores, load %s\n' "$name" "$(date -u +%FT%TZ)" "$(git rev-parse --short HEAD)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)" >"$report"
code=0
SENDPROXY_CAMPAIGN_SECONDS=$(((seconds + ways - 1) / ways)) SENDPROXY_CAMPAIGN_RATE=$rate SENDPROXY_CAMPAIGN_REPORT=$report \
  timeout --kill-after=10 $((seconds * 4 + 300)) artifacts/bin/SendProxy.IntegrationTests/release/SendProxy.IntegrationTests \
  -noLogo -noColor -class '*RotationCampaign' || code=$?
cat "$report"
exit "$code"
