# activate PATH NAME ID: makes a staged release current.
enter "$1"
name=$2
is_release "$name" || fail name
case $3 in '' | .* | -* | *[!A-Za-z0-9._-]*) fail id ;; esac
target=releases/$name
[ -d "$target" ] && [ ! -L "$target" ] && [ -f "$target.manifest" ] || fail not-staged

old=-
if [ -L current ]; then
    old=$(readlink current; printf x)
    old=${old%?x}
    [ "$old" != "$target" ] || { sync . || fail sync; say "unchanged"; end 0; }
    old=$(hex "$old")
elif [ -e current ]; then
    fail not-a-link
fi

# In the folder of `current` itself, so that the rename is one.
new=.current-$3
cleanup() { [ ! -L "$new" ] || rm -f "$new"; }
cleanup
ln -s "$target" "$new" 2>/dev/null || fail write
# What is done from here on is done, whether or not anybody still listens.
trap '' PIPE
mv -T "$new" current || fail write
[ "$(readlink current)" = "$target" ] || fail read-back
sync . || fail sync
say "activated ${old:--}"
end 0
