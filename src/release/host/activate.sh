# activate PATH NAME ID [FOLDER…]: makes a staged release current; copies the other releases' files in these folders.
enter "$1"
name=$2 id=$3
is_release "$name" || fail name
case $id in '' | .* | -* | *[!A-Za-z0-9._-]*) fail id ;; esac
target=releases/$name
[ -d "$target" ] && [ ! -L "$target" ] && [ -f "$target.manifest" ] || fail not-staged
shift 3

old=-
if [ -L current ]; then
    old=$(readlink current; printf x)
    old=${old%?x}
    [ "$old" != "$target" ] || { sync . || fail sync; say "unchanged"; end 0; }
    old=$(hex "$old")
elif [ -e current ]; then
    fail not-a-link
fi

! torn "$name" || fail torn
# The files of the release are on the disk before it is current.
if [ -f ".rfab/unflushed/$name" ]; then
    sync -f "$target" || { say failed > ".rfab/unflushed/$name"; fail sync; }
    # `stage` may have been told of the error meanwhile.
    ! torn "$name" || fail torn
    rm -f ".rfab/unflushed/$name" || fail sync
fi

# inherit OTHER FOLDER: copies files that OTHER brought itself and that this release lacks.
inherit() {
    [ -d "$1/$2" ] && [ ! -L "$1/$2" ] && [ ! -L "$target/$2" ] || return 0
    (cd "$1" && find "./$2" -type f ! -name '.*') > "$list.$id" || fail assets
    of=.rfab/assets/${1#releases/}
    # Files that OTHER inherited are copied only from the release that brought them.
    if [ -s "$of" ]; then grep -Fxv -f "$of" "$list.$id" > "$list.$id.own"; else cp "$list.$id" "$list.$id.own"; fi
    while IFS= read -r file; do
        [ -f "$1/$file" ] && [ ! -e "$target/$file" ] && [ ! -L "$target/$file" ] || continue
        printf '%s\n' "$file" >> "$list" || fail assets
        mkdir -p "$target/${file%/*}" 2>/dev/null || fail assets
        part=$target/${file%/*}/.rfab-$id
        # Neither a link that was put there meanwhile, nor a program that runs as its owner.
        cp -pP "$1/$file" "$part" 2>/dev/null && [ ! -L "$part" ] && [ ! -u "$part" ] && [ ! -g "$part" ] &&
            mv -T "$part" "$target/$file" || { rm -f "$part"; fail assets; }
    done < "$list.$id.own"
}

if [ "$#" -gt 0 ]; then
    mkdir -p .rfab/assets 2>/dev/null || fail assets
    list=.rfab/assets/$name
    cleanup() { rm -f "$list.$id" "$list.$id.own"; }
    for other in releases/*; do
        is_release "${other#releases/}" && [ "$other" != "$target" ] && [ -d "$other" ] && [ ! -L "$other" ] || continue
        ! torn "${other#releases/}" || continue
        for folder; do inherit "$other" "$folder"; done
    done
    cleanup
fi

# In the same folder as `current`, so that one rename is enough.
new=.current-$id
cleanup() { [ ! -L "$new" ] || rm -f "$new"; }
cleanup
ln -s "$target" "$new" 2>/dev/null || fail write
# From here on the change is made, even if nobody listens any more.
trap '' PIPE
mv -T "$new" current || fail write
[ "$(readlink current)" = "$target" ] || fail read-back
sync . || fail sync
say "activated ${old:--}"
end 0
