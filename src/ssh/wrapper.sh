mark=$1 folder=$2 id=$3 ledger=$4 intent=$5 ok=$6 failed=$7 owner=$8 dir=$9
shift 9
case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
fail() { printf '%s pid 0\n\n%s %s\n' "$mark" "$mark" "$1"; exit 0; }
if [ -n "$folder" ]; then
    (umask 077 && mkdir -p "$folder") 2>/dev/null || fail trace
fi
if [ -n "$dir" ]; then cd "$dir" 2>/dev/null || fail folder; fi
if [ -n "$ledger" ]; then note "$intent" </dev/null >/dev/null 2>&1 || fail ledger; fi
exec 3<&0
setsid /bin/sh -c '
mark=$1 file=$2
shift 2
start=$(cat "/proc/$$/stat" 2>/dev/null)
start=${start##*) }
set_start() { shift 19; start=$1; }
set_start $start
# If nobody listens any more it ends here, and without a trace, for it has not begun.
printf "%s pid %s\n" "$mark" "$$" || exit 254
if [ -n "$file" ]; then
    printf "pid %s %s\n" "$$" "$start" > "$file.new" && mv "$file.new" "$file" || exit 254
fi
"$@"
status=$?
if [ -n "$file" ]; then printf "status %s\n" "$status" >> "$file"; fi
exit "$status"
' rfab "$mark" "${folder:+$folder/$id}" "$@" <&3 3<&- &
child=$!
exec 3<&- </dev/null
wait "$child"
status=$?
if [ -n "$ledger" ]; then
    if [ "$status" = 0 ]; then line=$ok; else line=$failed; fi
    note "$line" >/dev/null 2>&1 || { printf '\n%s ledger %s\n' "$mark" "$status"; exit 0; }
fi
printf '\n%s %s\n' "$mark" "$status"
