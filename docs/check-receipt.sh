#!/bin/sh
# Check a receipt with sha256sum's kind of tools alone, OpenSSL 3 and no code of this project:
#   check-receipt.sh RECEIPT RECORD POLICY
# The steps are those of verify_receipt in verify_service/record_log/receipt.py, which is stricter about form.
set -eu
receipt=$1 record=$2 policy=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
refuse() { echo "NOT PROVED: $1"; exit 1; }
sha256() { openssl dgst -sha256 -binary; }

# 1. The receipt: nonce, index and path above the first empty line, the signed checkpoint below it.
sed '/^$/,$d' "$receipt" >"$work/head"
sed '1,/^$/d' "$receipt" >"$work/note"
sed '/^$/,$d' "$work/note" >"$work/text"
[ "$(sed -n 1p "$work/head")" = c2sp.org/tlog-proof@v1 ] || refuse "this is no tlog-proof"
index=$(sed -n 's/^index //p' "$work/head")
origin=$(sed -n 1p "$work/text")
size=$(sed -n 2p "$work/text")
[ "$index" -lt "$size" ] || refuse "the index lies outside the log"

# 2. The policy asks for no witness, whom this cannot check, and names the log, each key of it as NAME+ID+KEY.
grep -q '^quorum none$' "$policy" || refuse "the policy asks for witnesses: use receiptctl"
named() { while read -r kind key _; do [ "$kind" != log ] || [ "${key%%+*}" != "$origin" ] || echo "$key"; done; }
named <"$policy" >"$work/keys"
[ -s "$work/keys" ] || refuse "the policy does not name the log $origin"

# 3. One of those keys, and one that signs at this size, signed the checkpoint. The DER prefix says Ed25519 (RFC 8410).
bound() { while read -r kind of size_there _; do [ "$kind $of" != "$1 $key" ] || echo "$size_there"; done <"$policy"; }
signed='' vouches=''
while read -r key; do
  id=${key#*+} material=${key#*+*+} after=$(bound after) until=$(bound until)
  sed -n "s|^— $origin ||p" "$work/note" | while read -r line; do
    printf %s "$line" | base64 -d >"$work/line"
    [ "$(head -c 4 "$work/line" | od -An -tx1 | tr -d ' ')" != "${id%%+*}" ] || mv "$work/line" "$work/signature"
  done
  [ -e "$work/signature" ] || continue
  tail -c +5 "$work/signature" >"$work/ed25519"
  rm "$work/signature"
  printf '\060\052\060\005\006\003\053\145\160\003\041\000' >"$work/public"
  printf %s "$material" | base64 -d | tail -c +2 >>"$work/public"
  openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/public" -rawin -in "$work/text" -sigfile "$work/ed25519" \
    >/dev/null 2>&1 || refuse "the signature does not fit"
  signed="$signed ${id%%+*}"
  if [ "$size" -le "${until:-$size}" ] && [ "$size" -gt "${after:--1}" ]; then vouches=yes; fi
done <"$work/keys"
[ -n "$signed" ] || refuse "the log's key did not sign"
[ -n "$vouches" ] || refuse "the key$signed does not sign at $size entries: see \`after\` and \`until\` in the policy"

# 4. The record and the nonce make the entry, and the path leads from its leaf to the signed root (RFC 9162 2.1.3.2).
nonce() { sed -n 's/^extra //p' "$work/head" | base64 -d; }
{ printf 'officer-verify/commit/v1\000'; nonce; cat "$record"; } | sha256 >"$work/commitment"
{ printf '\000\001'; cat "$work/commitment"; } | sha256 >"$work/root"
node=$index last=$((size - 1))
sed '1,3d' "$work/head" >"$work/path"
while read -r sibling; do
  [ "$last" -gt 0 ] || refuse "the path is too long"
  printf %s "$sibling" | base64 -d >"$work/sibling"
  if [ $((node % 2)) = 1 ] || [ "$node" = "$last" ]; then
    { printf '\001'; cat "$work/sibling" "$work/root"; } | sha256 >"$work/next"
    while [ $((node % 2)) = 0 ] && [ "$node" -gt 0 ]; do node=$((node / 2)) last=$((last / 2)); done
  else
    { printf '\001'; cat "$work/root" "$work/sibling"; } | sha256 >"$work/next"
  fi
  mv "$work/next" "$work/root"
  node=$((node / 2)) last=$((last / 2))
done <"$work/path"
[ "$last" = 0 ] || refuse "the path is too short"
[ "$(base64 <"$work/root")" = "$(sed -n 3p "$work/text")" ] || refuse "the record is not what the log holds there"
echo "Proved: entry $index of the log $origin, which had $size entries when it signed."
