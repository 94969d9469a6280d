#!/usr/bin/env bash
# Writes what the settings tell about themselves: config/proxy.schema.json and docs/CONFIGURATION.md. A test compares them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dotnet build src/SendProxy/SendProxy.csproj -c Release -nologo -tl:off -v:quiet
# To the side first: a command that fails must not leave an empty file.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
print() { dotnet artifacts/bin/SendProxy/release/sendproxy.dll check "$1" >"$work/out" && cat "$work/out" >"$2"; }
print --print-schema config/proxy.schema.json
print --print-reference docs/CONFIGURATION.md
