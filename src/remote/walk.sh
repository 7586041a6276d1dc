# Enters folders one by one, so that nobody who may change a name on the way can lead this program elsewhere.
#
# `kind` tells who may change the names in `.`: `safe` is only this user and root, `open` is everybody, a number is the
# user who may. Links in a safe folder are followed. In any other folder, the next folder must really lie in it, or
# belong to the same user: then that user gains nothing by a link.
me=$(id -u)
group=

# see: finds out what `.` is, by its inode and not by its name.
see() {
    set -- $(stat -c '%d:%i %u %g %A' . ..) || return 1
    [ "$#" -eq 8 ] || return 1
    here=$1 owner=$2 above=$5
    case $owner in 0 | "$me") kind=safe ;; *) kind=$owner; return 0 ;; esac
    case $4 in
    ????????w*) kind=open ;;
    # Nobody else is in the user's own group.
    ?????w*) [ "$3" = 0 ] || [ "$3" = "${group:=$(id -g)}" ] || kind=open ;;
    esac
}

# step NAME: enters the folder NAME in `.`.
step() {
    left=$here from=$kind
    cd -P "./$1" && see || fail no-folder
    [ "$above" = "$left" ] || [ "$owner" = "$from" ] || fail link
}

# leads NAME: sets `target` to the target of a link.
leads() {
    links=$((links + 1))
    [ "$links" -le 40 ] || fail link
    target=$(readlink "./$1"; printf x)
    target=${target%?x}
}

# walk PATH [make]: enters a folder, starting from `.`; with `make`, makes the missing folders.
walk() {
    way=$1
    case $way in /*) cd / ;; esac
    see || fail no-folder
    while [ -n "$way" ]; do
        part=${way%%/*}
        case $way in */*) way=${way#*/} ;; *) way= ;; esac
        case $part in
        '' | .) continue ;;
        ..) [ "$kind" = safe ] || fail link ;;
        *)
            if [ -L "./$part" ] && [ "$kind" = safe ]; then
                leads "$part"
                case $target in /*) cd / && see || fail no-folder ;; esac
                way=$target/$way
                continue
            fi
            [ "$#" -eq 1 ] || [ -e "./$part" ] || (umask 022 && mkdir "./$part") 2>/dev/null
            ;;
        esac
        if [ "$part" = .. ]; then cd -P .. && see || fail no-folder; else step "$part"; fi
    done
}

# reach PATH: enters the folder that holds PATH, through links that only this user and root can change; sets `name`.
reach() {
    links=0
    to=${1%"${1##*[!/]}"}
    while :; do
        name=${to##*/}
        case $to in /*) folder=/${to%/*} ;; */*) folder=${to%/*} ;; *) folder=. ;; esac
        case $name in '' | . | ..) fail folder ;; esac
        walk "$folder"
        [ -L "./$name" ] || return 0
        [ "$kind" = safe ] || fail link
        leads "$name"
        to=${target%"${target##*[!/]}"}
    done
}

# hold ID: makes and enters a folder for this call; nobody else can change what is in it, or move it elsewhere.
hold() {
    held=.rfab-$1 left=$here
    (umask 077 && mkdir "./$held") || fail write
    cd -P "./$held" && see || fail write
    [ "$above" = "$left" ] && [ "$owner" = "$me" ] || fail link
    inside=1
}

# let_go: leaves that folder and removes it.
let_go() {
    [ -n "$inside" ] || return 0
    inside=
    for one in new tar old; do scrap "$one"; done
    cd .. && rmdir "./$held" 2>/dev/null
}
inside=

# scrap NAME: removes NAME from `.`. Nobody who owns folders in it can lead this elsewhere, either: busybox's `rm -r`
# would follow a link that took the place of a folder meanwhile.
scrap() {
    if rm --version 2>/dev/null | grep -q GNU; then rm -rf "./$1"; return; fi
    rm -f "./$1" 2>/dev/null && [ ! -d "./$1" ] && return
    (
        at=$(stat -c %d:%i .)
        cd -P "./$1" 2>/dev/null && [ "$(stat -c %d:%i ..)" = "$at" ] || exit 1
        find . -maxdepth 1 ! -type d -exec rm -f {} +
        for each in ./* ./.[!.]* ./..?*; do [ ! -d "$each" ] || [ -L "$each" ] || scrap "${each#./}"; done
    )
    rmdir "./$1"
}
