# The start of every program. POSIX sh; coreutils or busybox, find, grep, sed, tar, gzip.
#
# An answer is lines of words; names that others may have chosen are in hex. The last line is `end PROGRAM`: without
# it the program didn't finish. The status is 0, or 3 with a line `failed KIND …` before the last one.
set -u
umask 022
LC_ALL=C
export LC_ALL
unset CDPATH GZIP TAR_OPTIONS POSIXLY_CORRECT
nl='
'
tab='	'

say() { printf '%s\n' "$*"; }
hex() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n'; }
cleanup() { :; }
end() { say "end $program"; exit "$1"; }
fail() { say "failed $*"; end 3; }
digest() { set -- "$(sha256sum < "$1")"; printf %s "${1%% *}"; }

trap 'status=$?; trap "" HUP INT TERM PIPE; cleanup; exit "$status"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

# enter PATH: enters the app's folder; all later paths are relative to it.
enter() {
    case $1 in /*) ;; *) fail path ;; esac
    if [ "$me" = 0 ]; then
        [ -d "$1" ] || fail absent
        links=0
        walk "$1"
        roots "$1"
    else
        cd "$1" 2>/dev/null || fail absent
    fi
    root=$(pwd -P) || fail absent
}

# roots PATH: root uses the folders below by name, so nobody else may be able to replace one.
roots() {
    [ "$kind" = safe ] || fail others "$(hex "$1")"
    for each in releases .rfab .rfab/tmp; do
        [ -e "./$each" ] || [ -L "./$each" ] || continue
        # `setup` corrects modes.
        case $program$(stat -c '%u%A' "./$each") in "$program"0d????-??-* | setup0[dl]*) ;; *) fail others "$(hex "$1/$each")" ;; esac
    done
}

# is_release NAME: four to nine digits, a dash, twelve hex digits; a number has one spelling.
is_release() {
    its_number=${1%%-*}
    its_commit=${1#*-}
    case $its_number in '' | *[!0-9]* | 0????*) return 1 ;; esac
    case $its_commit in '' | *[!0-9a-f]*) return 1 ;; esac
    [ "${#its_number}" -ge 4 ] && [ "${#its_number}" -le 9 ] && [ "${#its_commit}" -eq 12 ]
}

# is_commit ID: 40 lowercase hex digits, or 64 by sha256.
is_commit() {
    case $1 in '' | *[!0-9a-f]*) return 1 ;; esac
    [ "${#1}" -eq 40 ] || [ "${#1}" -eq 64 ]
}

# lacking: prints each tool that a release needs and this host lacks.
lacking() {
    for tool in tar gzip find grep sed stat sha256sum od head cut sort uniq tr wc du readlink ln mkdir mv sync setsid; do
        command -v "$tool" > /dev/null || say "lacks-tool $tool"
    done
}

# started PID: prints when the process started, in ticks since the boot.
started() {
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    set -- ${stat##*) }
    shift 19
    printf %s "$1"
}

boot() { (IFS= read -r id < /proc/sys/kernel/random/boot_id && printf %s "$id") 2>/dev/null || printf unknown; }

# torn NAME: whether this host went down before that release was on its disk for certain, or couldn't write it there.
# A flush that ends meanwhile removes the mark: where it can't be read, it may be gone.
torn() {
    [ -e ".rfab/unflushed/$1" ] || [ -L ".rfab/unflushed/$1" ] || return 1
    if unflushed=$(cat ".rfab/unflushed/$1" 2>/dev/null); then
        [ "$unflushed" != "$(boot)" ]
    else
        [ -e ".rfab/unflushed/$1" ] || [ -L ".rfab/unflushed/$1" ]
    fi
}

# work_in ID: makes a folder for this run; it is removed when the program ends.
work_in() {
    case $1 in '' | .* | -* | *[!A-Za-z0-9._-]*) fail id ;; esac
    [ -d .rfab/tmp ] || fail not-set-up
    tmp=.rfab/tmp/$1
    (umask 077 && mkdir "$tmp") 2>/dev/null || fail id-taken
    cleanup() { clean "$tmp"; }
    say_alive > "$tmp/alive" || fail write
}

say_alive() { say "$$ $(started "$$" || printf 0) $(boot)"; }

# clean FOLDER: removes it with all it contains, even read-only folders. Root may anyway, and changes no mode by name.
clean() {
    (cd "${1%/*}" && scrap "${1##*/}") 2>/dev/null && return
    [ "$me" = 0 ] || chmod -R u+rwx "$1" 2>/dev/null
    (cd "${1%/*}" && scrap "${1##*/}")
}

# tell KIND FILE: prints up to ten of its lines as `KIND HEX`, with spaces between columns, and their total number.
tell() {
    [ -s "$2" ] || return 0
    sed -n "s/$tab/ /;s/$tab/ /;s/$tab/ /;1,10p" "$2" | while IFS= read -r line; do say "$1 $(hex "$line")"; done
    say "$1-count $(wc -l < "$2")"
}
