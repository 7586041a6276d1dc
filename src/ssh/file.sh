# Files of a host, one verb at a time: VERB PATH …. A line `done …` ends what went well.
set -u
umask 022
verb=$1
path=$2
temp=
fail() { printf 'failed %s\n' "$1"; exit 3; }
trap '[ -z "$temp" ] || rm -rf "$temp"' EXIT
trap 'exit 129' HUP INT TERM PIPE
digest() { set -- $(sha256sum < "$1"); printf %s "$1"; }
case $verb in
digest)
    [ -e "$path" ] || [ -L "$path" ] || { printf 'done absent\n'; exit 0; }
    [ -d "$path" ] && { printf 'done folder\n'; exit 0; }
    [ -f "$path" ] || { printf 'done other\n'; exit 0; }
    [ -r "$path" ] || fail unreadable
    printf 'done %s\n' "$(digest "$path")"
    ;;
exists)
    if [ -e "$path" ] || [ -L "$path" ]; then printf 'done yes\n'; else printf 'done no\n'; fi
    ;;
write)
    # write PATH SHA256 BYTES ID: the content is on stdin.
    [ ! -d "$path" ] || fail folder
    folder=$(dirname -- "$path")
    [ -d "$folder" ] || fail no-folder
    temp=$folder/.rfab-$5
    rm -f "$temp"
    # Without clobbering: a link that somebody put there is not followed. Nobody else reads it before it is whole.
    (umask 077 && set -C && cat > "$temp") || fail write
    [ "$(wc -c < "$temp" | tr -d ' ')" = "$4" ] || fail short
    [ "$(digest "$temp")" = "$3" ] || fail changed
    mode=644
    if [ -f "$path" ]; then mode=$(stat -c %a -- "$path") || fail mode; fi
    chmod "$mode" "$temp" || fail mode
    sync "$temp" || fail sync
    mv -T "$temp" "$path" || fail rename
    temp=
    sync "$folder" || fail sync
    printf 'done\n'
    ;;
unpack)
    # unpack PATH SHA256 BYTES ID: a tar is on stdin, whose files come to be the folder PATH.
    [ ! -e "$path" ] || [ -d "$path" ] || fail file
    folder=$(dirname -- "$path")
    [ -d "$folder" ] || fail no-folder
    temp=$folder/.rfab-$5
    rm -rf "$temp"
    mkdir -m 700 "$temp" || fail write
    cat > "$temp/tar" || fail write
    [ "$(wc -c < "$temp/tar" | tr -d ' ')" = "$4" ] || fail short
    [ "$(digest "$temp/tar")" = "$3" ] || fail changed
    mkdir -m 755 "$temp/new" || fail write
    tar -xf "$temp/tar" -C "$temp/new" --no-same-owner --no-same-permissions || fail unpack
    sync || fail sync
    if [ -d "$path" ]; then mv -T "$path" "$temp/old" || fail rename; fi
    mv -T "$temp/new" "$path" || { [ ! -d "$temp/old" ] || mv -T "$temp/old" "$path"; fail rename; }
    sync "$folder" || fail sync
    printf 'done\n'
    ;;
esac
