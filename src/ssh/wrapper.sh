mark=$1 folder=$2 id=$3 ledger=$4 intent=$5 ok=$6 failed=$7 owner=$8 dir=$9
shift 9
sweep=$1
shift
# Up to here, stderr may contain what start-up files print.
printf '%s\n' "$mark" >&2
# A broken /dev/null doesn't keep the command from running.
sink=/dev/null
[ -w "$sink" ] || sink=/dev/zero
case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
fail() { printf '%s pid 0\n\n%s %s\n' "$mark" "$mark" "$1"; exit 0; }
if [ -n "$folder" ]; then
    [ -d "$folder" ] || (umask 077 && mkdir -p "$folder") 2>"$sink" || fail trace
    (umask 077 && printf 'begins\n' > "$folder/$id.new") 2>"$sink" || fail trace
    [ -z "$sweep" ] || find "$folder" -type f -mtime "+$sweep" -exec rm -f {} + >"$sink" 2>&1
fi
if [ -n "$dir" ]; then cd "$dir" 2>"$sink" || fail folder; fi
if [ -n "$ledger" ]; then note "$intent" <"$sink" >"$sink" 2>&1 || fail ledger; fi
exec 3<&0
setsid /bin/sh -c '
mark=$1 file=$2 sink=$3
shift 3
start=
{ IFS= read -r start < "/proc/$$/stat"; } 2>"$sink"
start=${start##*) }
set_start() {
    start=
    [ "$#" -lt 20 ] || { shift 19; start=$1; }
}
set_start $start
# If nobody listens any more, the call ends here, without a trace, because it has not begun.
printf "%s pid %s\n" "$mark" "$$" || exit 254
if [ -n "$file" ]; then
    { printf "pid %s %s\n" "$$" "$start" > "$file.new" && mv "$file.new" "$file"; } 2>"$sink" || {
        printf "\n%s trace\n" "$mark"
        exit 254
    }
fi
"$@"
status=$?
if [ -n "$file" ]; then printf "status %s\n" "$status" >> "$file"; fi
exit "$status"
' rfab "$mark" "${folder:+$folder/$id}" "$sink" "$@" <&3 3<&- &
child=$!
exec 3<&- <"$sink"
wait "$child"
status=$?
# What has not begun leaves nothing.
[ -z "$folder" ] || [ ! -f "$folder/$id.new" ] || rm -f "$folder/$id.new"
if [ -n "$ledger" ]; then
    if [ "$status" = 0 ]; then line=$ok; else line=$failed; fi
    note "$line" >"$sink" 2>&1 || { printf '\n%s ledger %s\n' "$mark" "$status"; exit 0; }
fi
printf '\n%s %s\n' "$mark" "$status"
