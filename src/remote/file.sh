set -u
umask 022
verb=$1
path=$2
fail() { printf 'failed %s\n' "$1"; exit 3; }
trap 'let_go' EXIT
trap 'exit 129' HUP INT TERM PIPE
digest() { set -- $(sha256sum < "$1"); printf %s "$1"; }

# arrive NAME SHA256 BYTES: writes stdin to a new file, and checks it.
arrive() {
    (umask 077 && set -C && cat > "./$1") || fail write
    [ "$(wc -c < "./$1" | tr -d ' ')" = "$3" ] || fail short
    [ "$(digest "./$1")" = "$2" ] || fail changed
}

# like NAME: sets `mode` and `its_group` from an existing file; each class gets at most rwx.
like() {
    set -- $(stat -c '%u %g %a %F' "$1") || return 1
    [ "${4-}" = regular ] || return 1
    mode=000$3
    mode=${mode#"${mode%???}"}
    # In another user's folder, that user's file decides who reads: a secret must not take its mode from it.
    case $1 in 0 | "$me") its_group=$2 ;; *) [ -z "$secret" ] || mode=600 ;; esac
}

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
    # write PATH SHA256 BYTES ID MODE [secret]: the content is on stdin; with MODE `-` an existing file keeps its mode.
    secret=${7-}
    reach "$path"
    [ ! -d "./$name" ] || fail folder
    hold "$5"
    arrive new "$3" "$4"
    its_group=
    mode=644
    [ -z "$secret" ] || mode=600
    [ ! -f "../$name" ] || [ -L "../$name" ] || like "../$name" || fail mode
    if [ -n "$its_group" ] && ! chgrp "$its_group" ./new 2>/dev/null; then
        # The file has another group than intended, which gets no access to a secret.
        [ -z "$secret" ] || mode=${mode%??}00
    fi
    [ -z "$secret" ] || mode=${mode%?}0
    [ "$6" = - ] || mode=$6
    chmod "$mode" ./new || fail mode
    sync ./new || fail sync
    mv -fT ./new "../$name" || fail rename
    sync .. || fail sync
    printf 'done\n'
    ;;
unpack)
    # unpack PATH SHA256 BYTES ID: a tar is on stdin; its content becomes the folder PATH.
    reach "$path"
    [ ! -e "./$name" ] || [ -d "./$name" ] || fail file
    hold "$5"
    arrive tar "$3" "$4"
    mkdir ./new || fail write
    tar -xf ./tar -C ./new --no-same-owner --no-same-permissions || fail unpack
    # As root, tar keeps the bits that make a program run as its owner.
    find ./new -type f \( -perm -4000 -o -perm -2000 \) -exec chmod u-s,g-s {} + || fail unpack
    sync || fail sync
    if [ -d "../$name" ]; then mv -T "../$name" ./old || fail rename; fi
    mv -T ./new "../$name" || { [ ! -d ./old ] || mv -T ./old "../$name"; fail rename; }
    sync .. || fail sync
    printf 'done\n'
    ;;
esac
