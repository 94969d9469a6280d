#!/usr/bin/env bash
# Renders the chart with every set of values in helm/goldens into a folder (default: helm/goldens itself, which renews the
# goldens; look at the diff before you commit it). HelmChartTests renders to the side and compares.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$(realpath -m "${1:-helm/goldens}")
mkdir -p "$out"
# A dry run of an installation alone prints the notes; it needs no cluster.
render() {
  bash eng/helm.sh template demo "${@:2}" --namespace shop >"$out/$1.yaml" 2>"$out/$1.log"
  bash eng/helm.sh install demo "${@:2}" --namespace shop --dry-run=client --render-subchart-notes 2>>"$out/$1.log" | sed '1,/^NOTES:$/d' >"$out/$1.notes.txt"
  rm -f "$out/$1.log"
}
for values in helm/goldens/*.values.yaml; do
  render "$(basename "$values" .values.yaml)" helm/sendproxy -f "$values"
done
render parent helm/goldens/parent
