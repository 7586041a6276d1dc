# The keeper of a fleet's lock: keeper FOLDER LIMIT HOLDER SOCKET. It holds the lock while somebody speaks to it.
#
# It answers `held BYTES` (of the ledger), or `busy HOLDER`, or `failed WHY`, behind a mark that tells it from what the
# login shell prints; then each line it reads gets one line back. When its input ends or is silent for LIMIT seconds it
# ends its parent, the ssh session, so that nothing goes through this connection any more before the lock is free.
set -u
umask 077
folder=$1 limit=$2 holder=$3 socket=$4
case $folder in '~/'*) folder=$HOME/${folder#'~/'} ;; esac
first() { printf '\nrfab lock: %s\n' "$1"; }
fail() { first "failed $1"; exit 1; }
command -v flock >/dev/null 2>&1 || fail no-flock
mkdir -p "$folder" 2>/dev/null || fail folder
[ ! -L "$folder" ] && cd -P "$folder" || fail owner
# The folder itself, whatever its name leads to by now.
[ -O . ] && chmod 700 . || fail owner
[ ! -L lock ] && { [ ! -e lock ] || [ -f lock ]; } || fail strange-lock
[ ! -L door ] && { [ ! -e door ] || [ -f door ]; } || fail strange-lock
# Behind the door a lock and the note in it change as one, so that nobody reads an older holder's.
exec 8<>door || fail lock
tries=0
until flock -n 8; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || break
    sleep 0.1
done
exec 9<>lock || fail lock
if ! flock -n 9; then
    read -r who < lock || who=
    first "busy $who"
    exit 0
fi
# Whoever removes the file makes room for a second holder: then this one holds nothing any more.
inode() { stat -L -c %d:%i "$1" 2>/dev/null; }
mine=$(inode /proc/self/fd/9)
printf '%s\n' "$holder" > lock.new && cat lock.new > lock && rm -f lock.new || fail lock
exec 8>&-
size() { if [ -f "$1" ] && [ ! -L "$1" ]; then wc -c < "$1" | tr -d ' '; else printf '0\n'; fi; }
# Children never inherit the lock.
first "held $(size ledger 9<&-)"

session=$PPID tool=none
for one in nc socat; do command -v "$one" >/dev/null 2>&1 && tool=$one; done
watch() {
    ( exec 9<&- </dev/null >/dev/null 2>&1; sleep "$limit"; kill -9 "$session" ) &
    watcher=$!
}
unwatch() { kill "$watcher" 2>/dev/null; wait "$watcher" 2>/dev/null; }
ask() {
    line=$1
    case $socket in
    /*) far=UNIX-CONNECT:$socket; set -- -U -w 5 "$socket" ;;
    *) far=TCP:$socket; at=${socket%:*}; at=${at#[}; set -- -w 5 "${at%]}" "${socket##*:}" ;;
    esac
    case $tool in
    socat) printf '%s\n' "$line" | socat -t 5 - "$far" ;;
    nc) printf '%s\n' "$line" | nc "$@" ;;
    *) return 1 ;;
    esac
}
name() { case $1 in '' | .* | *[!a-z0-9._-]*) return 1 ;; esac; [ ! -L "$1" ]; }
# The old ledger keeps its lines under the next free name; the new one takes its place at once.
turn() {
    [ "$(size ledger.new)" = "$1" ] && [ "$(size ledger)" = "$2" ] && sync ledger.new || return 1
    n=1
    while [ -e "ledger-$n" ] || [ -L "ledger-$n" ]; do n=$((n + 1)); done
    ln ledger "ledger-$n" && mv ledger.new ledger && sync .
}
watch
while IFS= read -r line; do
    unwatch
    watch
    [ "$(inode lock)" = "$mine" ] || break
    verb=${line%% *}
    rest=${line#* }
    case $verb in
    ping) printf 'ok\n' ;;
    tool) printf '%s\n' "$tool" ;;
    note)
        file=${rest%% *}
        text=${rest#* }
        if name "$file" && printf '%s\n' "$text" >> "$file" && sync "$file" 9<&-; then printf 'ok\n'; else printf 'failed\n'; fi
        ;;
    ask)
        if answer=$(ask "$rest" 9<&- && printf x); then
            printf '%s' "${answer%x}" | od -An -v -tx1 9<&- | tr -d ' \n' 9<&-
            printf '\n'
        else
            printf 'failed\n'
        fi
        ;;
    turn) if turn "${rest%% *}" "${rest#* }" 9<&-; then printf 'ok\n'; else printf 'failed\n'; fi ;;
    release) unwatch; printf 'ok\n'; exit 0 ;;
    *) printf 'failed\n' ;;
    esac
done
unwatch
kill -9 "$session" 2>/dev/null
