#!/usr/bin/env bash
# Sourced by setup scripts: what is needed is named with how it is found, so that a tool that came another way counts; what is missing
# is installed as Debian packages. Starts and enables no service.
readonly APT_SECONDS=600
missing=()

need_command() { command -v "$2" >/dev/null || missing+=("$1"); }
need_file() { [[ -e $2 ]] || dpkg -s "$1" >/dev/null 2>&1 || missing+=("$1"); }

give_up() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

install_missing() {
  ((${#missing[@]} > 0)) || return 0
  local by_hand="apt-get install --no-install-recommends ${missing[*]}"
  command -v apt-get >/dev/null || give_up "missing: ${missing[*]} (Debian's names). This machine has no apt-get: install them its own way."
  ((EUID == 0)) || give_up "missing: ${missing[*]}. As root: $by_hand"

  # invoke-rc.d and deb-systemd-invoke ask this file before they start anything; one that is there already is somebody's choice.
  readonly POLICY=/usr/sbin/policy-rc.d
  if [[ ! -e $POLICY ]]; then
    trap 'rm -f "$POLICY"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
  fi

  local log
  log=$(mktemp)
  echo "setup: installing ${missing[*]}"
  local step
  for step in update "install -y --no-install-recommends ${missing[*]}"; do
    # shellcheck disable=SC2086 # words of its own
    DEBIAN_FRONTEND=noninteractive timeout "$APT_SECONDS" apt-get -qq -o DPkg::Lock::Timeout=120 $step </dev/null >>"$log" 2>&1 ||
      give_up "apt-get ${step%% *} failed, its output is in $log and ends: $(tail -n 3 "$log" | tr '\n' ' '). By hand: $by_hand"
  done
  local service
  for service in redis-server redis-sentinel haproxy nginx-light:nginx; do
    # Only what was installed just now: one that was here before runs or not as its owner likes.
    [[ " ${missing[*]} " != *" ${service%%:*} "* ]] || update-rc.d "${service##*:}" disable >>"$log" 2>&1 || true
  done
  rm -f "$log"
}
