#!/usr/bin/env bash
# Runs a campaign in its long form against the published binary. Usage:
#   eng/campaign.sh rotation [seconds] [requests per second]
#     keys change under load in each of four ways, which share the seconds (60); and one control that must fail requests.
#   eng/campaign.sh attempts [messages] [seed]
#     clumsy callers, every fault, kills, a Redis that pauses and forgets (20000 messages, half of them once more before a
#     vendor that does not deduplicate); and three flawed proxies that must be caught. The same seed draws the same.
#   eng/campaign.sh storm [seconds] [requests per second]
#     a vendor that is down in each of three ways (30 s, 500/s each); and one control without a retry budget that must flood it.
#   eng/campaign.sh limits [seconds] [proxies] [permits per second]
#     the bars of docs/RATE-LIMITS.md: a fleet at, below and beyond its plan, Redis that pauses, forgets and fails over, proxies that die and
#     come, a vendor that has less (30 s each, 10 proxies, 200/s); and a control without a fleet that must be refused.
#   eng/campaign.sh clients [rounds] [seed]
#     default requests of HTTP libraries, which must pass, and of browsers, which must not, each cut at other places in each round
#     (100); and two controls, a port that keeps libraries out and a guard that lets browsers in.
#   eng/campaign.sh outbox [messages] [kills] [seed]
#     messages are accepted and sent while the proxy is killed at random instants, before a vendor that deduplicates and one that does not
#     (20000 messages and 100 kills each); and two flawed outboxes that must be caught.
#   eng/campaign.sh twin [operations] [seed]
#     the limiter's script and its twin answer the same calls the same (1000000).
#   eng/campaign.sh config [edits] [reloads]
#     one-character edits of a good configuration are good or refused with position and remedy; good and bad files under load, and
#     one that never settles (100000, 20); and a control: the YAML parser alone, which must throw what nobody expects.
#   eng/campaign.sh memory [seconds]
#     a gateway of 256 MiB and a sidecar of 192 MiB, each in a memory control group of its own, under five attacks beside real traffic
#     (30 s each); and two controls without bounds that must die or fail. Needs root.
# Figures go to standard output and to artifacts/campaigns/NAME.txt; the last ones stand in docs/CAMPAIGNS.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

give_up() {
  printf 'campaign: %s\n' "$*" >&2
  exit 1
}

name=${1:-}
case $name in
  rotation)
    seconds=${2:-60} rate=${3:-1000} ways=4
    [[ $seconds =~ ^[0-9]+$ && $rate =~ ^[0-9]+$ ]] || give_up "seconds and requests per second are whole numbers"
    export SENDPROXY_CAMPAIGN_SECONDS=$(((seconds + ways - 1) / ways)) SENDPROXY_CAMPAIGN_RATE=$rate
    bound=$((seconds * 4 + 300))
    ;;
  storm)
    seconds=${2:-30} rate=${3:-500}
    [[ $seconds =~ ^[0-9]+$ && $rate =~ ^[0-9]+$ ]] || give_up "seconds and requests per second are whole numbers"
    export SENDPROXY_CAMPAIGN_SECONDS=$seconds SENDPROXY_CAMPAIGN_RATE=$rate
    bound=$((seconds * 8 + 300))
    ;;
  clients)
    rounds=${2:-100} seed=${3:-$RANDOM}
    [[ $rounds =~ ^[0-9]+$ && $seed =~ ^[0-9]+$ ]] || give_up "rounds and seed are whole numbers"
    export SENDPROXY_CAMPAIGN_ROUNDS=$rounds SENDPROXY_CAMPAIGN_SEED=$seed
    bound=$((rounds * 5 + 300))
    ;;
  limits)
    seconds=${2:-30} proxies=${3:-10} rate=${4:-200}
    [[ $seconds =~ ^[0-9]+$ && $proxies =~ ^[0-9]+$ && $rate =~ ^[0-9]+$ ]] || give_up "seconds, proxies and permits per second are whole numbers"
    command -v redis-server >/dev/null || give_up "it needs redis-server; eng/setup.sh installs it"
    export SENDPROXY_CAMPAIGN_SECONDS=$seconds SENDPROXY_CAMPAIGN_PROXIES=$proxies SENDPROXY_CAMPAIGN_RATE=$rate
    bound=$((seconds * 40 + 600))
    ;;
  twin)
    operations=${2:-1000000} seed=${3:-$RANDOM}
    [[ $operations =~ ^[0-9]+$ && $seed =~ ^[0-9]+$ ]] || give_up "operations and seed are whole numbers"
    command -v redis-server >/dev/null || give_up "it needs redis-server; eng/setup.sh installs it"
    export SENDPROXY_TWIN_OPERATIONS=$operations SENDPROXY_TWIN_SEED=$seed
    dotnet build tests/SendProxy.Tests -c Release -nologo -tl:off -v:quiet
    exec timeout --kill-after=10 $((operations / 1000 + 120)) artifacts/bin/SendProxy.Tests/release/SendProxy.Tests \
      -noLogo -noColor -class "*.AcquireScriptTwinTests"
    ;;
  memory)
    seconds=${2:-30}
    [[ $seconds =~ ^[0-9]+$ ]] || give_up "seconds is a whole number"
    export SENDPROXY_CAMPAIGN_SECONDS=$seconds
    bound=$((seconds * 24 + 300))
    ;;
  attempts)
    messages=${2:-20000} seed=${3:-$RANDOM}
    [[ $messages =~ ^[0-9]+$ && $seed =~ ^[0-9]+$ ]] || give_up "messages and seed are whole numbers"
    command -v redis-server >/dev/null || give_up "it needs redis-server; eng/setup.sh installs it"
    export SENDPROXY_CAMPAIGN_SENDS=$messages SENDPROXY_CAMPAIGN_SEED=$seed
    bound=$((messages / 5 + 600))
    ;;
  outbox)
    messages=${2:-20000} kills=${3:-100} seed=${4:-$RANDOM}
    [[ $messages =~ ^[0-9]+$ && $kills =~ ^[0-9]+$ && $seed =~ ^[0-9]+$ ]] || give_up "messages, kills and seed are whole numbers"
    export SENDPROXY_CAMPAIGN_SENDS=$messages SENDPROXY_CAMPAIGN_KILLS=$kills SENDPROXY_CAMPAIGN_SEED=$seed
    bound=$((messages / 10 + kills * 10 + 600))
    ;;
  config)
    edits=${2:-100000} reloads=${3:-20}
    [[ $edits =~ ^[0-9]+$ && $reloads =~ ^[0-9]+$ ]] || give_up "edits and reloads are whole numbers"
    export SENDPROXY_CAMPAIGN_EDITS=$edits SENDPROXY_CAMPAIGN_RELOADS=$reloads
    bound=$((edits / 50 + reloads * 10 + 300))
    ;;
  *) give_up "usage: eng/campaign.sh rotation [seconds] [requests per second] | storm [seconds] [requests per second] | attempts [messages] [seed] | clients [rounds] [seed] | limits [seconds] [proxies] [permits per second] | outbox [messages] [kills] [seed] | twin [operations] [seed] | config [edits] [reloads] | memory [seconds]" ;;
esac
rid=linux-x64
[[ $(uname -m) != aarch64 ]] || rid=linux-arm64
export SENDPROXY_BINARY=${SENDPROXY_BINARY:-$PWD/artifacts/publish/$rid/sendproxy}
[[ -x $SENDPROXY_BINARY ]] || bash eng/publish.sh "$rid"
dotnet build tests/SendProxy.IntegrationTests -c Release -nologo -tl:off -v:quiet

export SENDPROXY_CAMPAIGN_REPORT=$PWD/artifacts/campaigns/$name.txt
mkdir -p "${SENDPROXY_CAMPAIGN_REPORT%/*}"
printf '%s at %s, commit %s, %s cores, load %s\n' "$name" "$(date -u +%FT%TZ)" "$(git rev-parse --short HEAD)" "$(nproc)" "$(cut -d' ' -f1 /proc/loadavg)" \
  >"$SENDPROXY_CAMPAIGN_REPORT"
code=0
timeout --kill-after=10 "$bound" artifacts/bin/SendProxy.IntegrationTests/release/SendProxy.IntegrationTests \
  -noLogo -noColor -class "*.${name^}Campaign" || code=$?
cat "$SENDPROXY_CAMPAIGN_REPORT"
exit "$code"
