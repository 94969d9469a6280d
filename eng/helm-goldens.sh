#!/usr/bin/env bash
# Renders the chart with every set of values in helm/goldens into a folder (default: helm/goldens itself, which renews the
# goldens; look at the diff before you commit it). HelmChartTests renders to the side and compares.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$(realpath -m "${1:-helm/goldens}")
tool=$PWD/artifacts/helm-render/helm-render
mkdir -p "$out" "$(dirname "$tool")"
# Debian's -dev packages have the libraries where a GOPATH build finds them: no module is fetched.
(cd eng/helm-render && GO111MODULE=off GOFLAGS='' GOPATH=/usr/share/gocode go build -o "$tool" .)
render() {
  "$tool" -name demo -namespace shop "${@:2}" >"$out/$1.yaml"
  "$tool" -name demo -namespace shop -notes "${@:2}" >"$out/$1.notes.txt"
}
for values in helm/goldens/*.values.yaml; do
  render "$(basename "$values" .values.yaml)" -f "$values" helm/sendproxy
done
render parent helm/goldens/parent
