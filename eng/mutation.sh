#!/usr/bin/env bash
# Puts the deliberate mistakes of eng/mutations.tsv into the program, one at a time, and asks whether the unit tests notice.
# Usage: eng/mutation.sh [PATTERN]     only the rows whose file or mistake matches PATTERN (an extended regular expression)
# It works in a copy of the last commit below artifacts/, never in this tree. A row takes some 20 s.
# The last line says how many were noticed; the score must not fall below the one that eng/mutations.score holds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly LIST=$PWD/eng/mutations.tsv SCORE=$PWD/eng/mutations.score COPY=$PWD/artifacts/mutation
readonly REPORT=$PWD/artifacts/campaigns/mutation.txt TEST_SECONDS=120
pattern=${1:-.}

give_up() {
  printf 'mutation: %s\n' "$*" >&2
  exit 1
}

# The copy is this script's: made anew, and removed at the end whatever happens.
remove_copy() { git worktree remove --force "$COPY" 2>/dev/null || rm -rf "$COPY"; }
git worktree prune
remove_copy
trap remove_copy EXIT
git worktree add --quiet --detach "$COPY" HEAD
mkdir -p "${REPORT%/*}"
cd "$COPY"

# A build with a mistake is thrown away: analyzers have nothing to say in it.
build() { RunAnalyzers=false dotnet build tests/SendProxy.Tests -c Release -nologo -tl:off -v:quiet >build.log 2>&1; }
build || { tail -n 20 build.log >&2 && give_up "the commit does not build"; }

# replace FILE OLD NEW: OLD must stand exactly once in FILE.
replace() {
  OLD=$2 NEW=$3 perl -0777 -i -pe 'BEGIN { $n = 0 } $n += s/\Q$ENV{OLD}\E/$ENV{NEW}/; END { exit($n == 1 ? 0 : 1) }' "$1"
}

total=0 noticed=0
printf 'mutation at %s, commit %s\n' "$(date -u +%FT%TZ)" "$(git rev-parse --short HEAD)" | tee "$REPORT"
while IFS=$'\t' read -r file old new tests; do
  [[ -n $file && $file != '#'* ]] || continue
  [[ "$file $old $new" =~ $pattern ]] || continue
  total=$((total + 1))
  replace "$file" "$old" "$new" || give_up "$file does not hold the text of its row: $old"
  if ! build; then
    verdict='does not build: the row is wrong'
  elif timeout --kill-after=5 "$TEST_SECONDS" artifacts/bin/SendProxy.Tests/release/SendProxy.Tests -noLogo -noColor -noAutoReporters -class "$tests" >tests.log 2>&1; then
    verdict='NOT NOTICED'
  elif grep -Eq 'Total: 0,' tests.log; then
    verdict="no test is called $tests: the row is wrong"
  else
    verdict=noticed noticed=$((noticed + 1))
  fi
  printf '%-14s %s: %s -> %s\n' "$verdict" "${file#src/SendProxy/}" "$old" "$new" | tee -a "$REPORT"
  git checkout --quiet -- "$file"
done <"$LIST"

((total > 0)) || give_up "no row of $LIST matches $pattern"
printf '%d of %d noticed\n' "$noticed" "$total" | tee -a "$REPORT"
[[ $pattern != . ]] || ((noticed >= $(<"$SCORE"))) || give_up "eng/mutations.score asks for $(<"$SCORE")"
