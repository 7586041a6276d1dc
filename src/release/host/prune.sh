# prune PATH KEEP [COMMIT…]: removes old releases. These stay: the newest KEEP, those of the commits (12 digits each),
# current, the one before it, and those in which a process runs. What is torn doesn't count, and goes.
enter "$1"
keep=$2
shift 2
case $keep in '' | *[!0-9]* | 0*) fail keep ;; esac
[ -d releases ] && [ -d .rfab/tmp ] || fail not-set-up

current=-
if [ -L current ]; then
    current=$(readlink current)
    current=${current#releases/}
    # If `current` is unclear, nothing is removed.
    is_release "$current" && [ -d "releases/$current" ] || fail current
elif [ -e current ]; then
    fail current
fi

# newest: prints the complete releases, the highest number first.
newest() {
    for entry in releases/*; do
        name=${entry#releases/}
        is_release "$name" && [ -d "$entry" ] && [ ! -L "$entry" ] && [ -f "$entry.manifest" ] && say "$name"
    done | sort -rn
}

# below NAME: whether the folder or program of any process is in that release.
below() {
    for link in $in_use; do
        case $link in "$root/releases/$1" | "$root/releases/$1/"*) return 0 ;; esac
    done
    return 1
}

seen=0 passed=0 number=
[ "$current" = - ] || number=${current%%-*}
doomed=
for name in $(newest); do
    previous=0
    if ! torn "$name"; then
        seen=$((seen + 1))
        if [ -n "$number" ] && [ "$passed" -eq 0 ] && [ "${name%%-*}" -lt "$number" ]; then
            previous=1 passed=1
        fi
        [ "$seen" -gt "$keep" ] || continue
    fi
    [ "$name" != "$current" ] && [ "$previous" -eq 0 ] || continue
    for spared; do
        [ "${name#*-}" != "$spared" ] || continue 2
    done
    doomed="$doomed $name"
done

in_use= hidden=0
if [ -n "$doomed" ]; then
    [ -r /proc/self/stat ] || fail proc
    IFS=$nl
    set -f
    for process in $(set +f; printf '%s\n' /proc/[0-9]*); do
        for link in cwd exe; do
            if at=$(readlink "$process/$link" 2>/dev/null); then
                case $at in "$root/releases/"*) in_use="$in_use$nl${at%% (deleted)}" ;; esac
            elif [ "$link" = cwd ] && [ -d "$process" ]; then
                hidden=$((hidden + 1))
            fi
        done
    done
fi
IFS=$nl
for name in $(IFS=' '; for one in $doomed; do say "$one"; done); do
    if below "$name"; then
        say "running $name"
        continue
    fi
    # One rename takes the release away; if files of it remain, they belong to no release.
    gone=releases/.gone-$name
    clean "$gone" 2>/dev/null
    if mv -T "releases/$name" "$gone" 2>/dev/null && rm -f "releases/$name.manifest"; then
        clean "$gone" 2>/dev/null
        say "removed $name"
    else
        say "left $name"
    fi
done
set +f
IFS=" $tab$nl"
[ "$hidden" -eq 0 ] || say "hidden $hidden"

# Leftovers of dead runs. The folders come first: they tell which runs are alive.
for entry in .rfab/tmp/*; do
    [ -d "$entry" ] && [ ! -L "$entry" ] || continue
    id=${entry#.rfab/tmp/}
    case $id in *[!A-Za-z0-9._-]*) continue ;; esac
    if IFS=' ' read -r pid start since 2>/dev/null < "$entry/alive"; then
        case $pid$start in '' | *[!0-9]*) continue ;; esac
        [ -r /proc/self/stat ] || continue
        [ "$since" = "$(boot)" ] && [ "$(started "$pid")" = "$start" ] && continue
        clean "$entry" 2>/dev/null && say "cleaned $id"
    else
        # The run died before it wrote its pid: only an empty folder can be removed safely.
        rmdir "$entry" 2>/dev/null && say "cleaned $id"
    fi
done
for entry in releases/.gone-* releases/.manifest-* .current-*; do
    [ -e "$entry" ] || [ -L "$entry" ] || continue
    case $entry in
    releases/.gone-*) clean "$entry" 2>/dev/null || say "gone $(hex "$entry")" ;;
    *)
        id=${entry#*.manifest-}
        id=${id#.current-}
        # A live run may be about to rename it.
        [ -d ".rfab/tmp/$id" ] || rm -f "$entry"
        ;;
    esac
done
# A manifest appears shortly before its release: a lone one is a leftover only if no run is staging.
if [ -z "$(ls -A .rfab/tmp)" ]; then
    for entry in releases/*.manifest; do
        name=${entry#releases/}
        name=${name%.manifest}
        is_release "$name" && [ ! -e "releases/$name" ] && rm -f "$entry"
    done
    for entry in .rfab/unflushed/* .rfab/records/*; do
        [ -f "$entry" ] && [ ! -e "releases/${entry#.rfab/*/}" ] && rm -f "$entry"
    done
fi
for entry in .rfab/assets/*; do
    [ -f "$entry" ] && [ ! -e "releases/${entry#.rfab/*/}" ] && rm -f "$entry"
done
sync releases || fail sync
end 0
