#!/usr/bin/env bash
# Publishes the Native AOT binary to artifacts/publish/RID, its symbols to artifacts/symbols/RID. Usage: eng/publish.sh [linux-x64|linux-arm64]
# Cross compiling needs clang and a sysroot of the target with glibc and zlib headers: SYSROOT=/path eng/publish.sh linux-arm64
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

give_up() {
  printf 'publish: %s\n' "$*" >&2
  exit 1
}

rid=${1:-linux-x64}
case $rid in
  linux-x64) machine=x86_64 triple=x86_64-linux-gnu ;;
  linux-arm64) machine=aarch64 triple=aarch64-linux-gnu ;;
  *) give_up "$rid is not supported; there are linux-x64 and linux-arm64" ;;
esac
command -v clang >/dev/null || give_up "Native AOT links with clang, which is missing; eng/setup.sh installs it"

options=()
if [[ $(uname -m) != "$machine" ]]; then
  sysroot=${SYSROOT:-}
  [[ -n $sysroot ]] || give_up "this machine is $(uname -m): $rid needs a sysroot ($machine glibc, libgcc, zlib1g-dev); set SYSROOT, or publish on an $machine machine"
  compgen -G "$sysroot/usr/lib/$triple/libz.*" >/dev/null || compgen -G "$sysroot/lib/$triple/libz.*" >/dev/null ||
    give_up "SYSROOT=$sysroot has no libz for $triple; install zlib1g-dev:arm64 (or :amd64) into it"
  command -v "$triple-objcopy" >/dev/null || command -v llvm-objcopy >/dev/null ||
    give_up "stripping symbols of $machine needs $triple-objcopy (binutils-${triple%%-*}-linux-gnu) or llvm-objcopy"
  options+=("-p:SysRoot=$sysroot" "-p:LinkerFlavor=lld")
fi

readonly OUT=artifacts/publish/$rid SYMBOLS=artifacts/symbols/$rid LOG=artifacts/publish/$rid.log
rm -rf "$OUT" "$SYMBOLS"
mkdir -p "$OUT" "$SYMBOLS"
# -tl:off: one line a message, so that warnings can be looked for.
dotnet publish src/SendProxy/SendProxy.csproj -c Release -r "$rid" -o "$OUT" -nologo -tl:off -v:minimal "${options[@]}" >"$LOG" 2>&1 || {
  tail -n 40 "$LOG" >&2
  give_up "dotnet publish failed; the whole output is in $LOG"
}
# What the trimmer or the AOT compiler cannot prove is a crash that only customers meet: not one warning is taken.
if grep -E 'warning|IL[23][0-9]{3}' "$LOG" >&2; then
  give_up "warnings are errors; the whole output is in $LOG"
fi

find "$OUT" -name '*.dbg' -exec mv -t "$SYMBOLS" {} +
find "$OUT" -name '*.pdb' -exec mv -t "$SYMBOLS" {} +
find "$OUT" \( -name '*.xml' -o -name '*.staticwebassets.*' \) -delete
find "$OUT" -type d -exec chmod 755 {} +
# libe_sqlite3.so comes out of its package as 0744, which the user of an image could not read everywhere.
find "$OUT" -type f -exec chmod 644 {} +
chmod 755 "$OUT/sendproxy"
echo "$OUT: $(du -sh --apparent-size "$OUT" | cut -f1), sendproxy $(du -h --apparent-size "$OUT/sendproxy" | cut -f1); symbols in $SYMBOLS"
