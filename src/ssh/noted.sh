# Runs a command between two ledger lines, as the user that sudo runs it as; the trace around it is the login user's.
mark=$1 ledger=$2 intent=$3 ok=$4 failed=$5 owner=$6 dir=$7
shift 7
sink=/dev/null
[ -w "$sink" ] || sink=/dev/zero
fail() { printf '\n%s %s\n' "$mark" "$1"; exit 254; }
if [ -n "$dir" ]; then cd "$dir" 2>"$sink" || fail folder; fi
note "$intent" <"$sink" >"$sink" 2>&1 || fail ledger
"$@"
status=$?
if [ "$status" = 0 ]; then line=$ok; else line=$failed; fi
note "$line" <"$sink" >"$sink" 2>&1 || { printf '\n%s ledger %s\n' "$mark" "$status"; }
exit "$status"
