# Prints the state of a call; its trace is `$folder/$id`.
case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
[ -f "$folder/$id" ] || { printf 'none\n'; exit 0; }
pid= start= status=
while read -r word one two; do case $word in pid) pid=$one start=$two ;; status) status=$one ;; esac; done < "$folder/$id"
[ -z "$status" ] || { printf 'status %s\n' "$status"; exit 0; }
[ -n "$pid" ] || { printf 'lost\n'; exit 0; }
if now=$(cat "/proc/$pid/stat" 2>&-); then
    set -- ${now##*) }
    [ "$#" -lt 20 ] || shift 19
    if [ "$1" = "$start" ]; then printf 'running\n'; else printf 'lost\n'; fi
# Where processes can't be inspected, only the group can be checked.
elif [ ! -r /proc/self/stat ] && kill -0 "-$pid" 2>&-; then printf 'running\n'
else printf 'lost\n'; fi
