# stage PATH NAME ID MANIFEST_SHA256 ROOM ENTRIES TAR_BYTES PACKING BASE BASE_SHA256 HASH: unpacks the stream on stdin as
# a release. If BASE isn't `-`, the stream has only what that release lacks. HASH is `changed` or `all`: whether files of
# BASE that are as they were recorded are hashed, too.
enter "$1"
name=$2 id=$3 manifest=$4 room=$5 entries=$6 tar_bytes=$7 packing=$8 base=$9
is_release "$name" || fail name
case $packing in gzip | zstd) ;; *) fail archive packing ;; esac
[ -d releases ] && [ -d shared ] || fail not-set-up
final=releases/$name

if [ -e "$final" ] || [ -L "$final" ]; then
    [ -d "$final" ] && [ ! -L "$final" ] && [ -f "$final.manifest" ] || fail taken
    if ! torn "$name"; then
        there=$(digest "$final.manifest")
        [ "$there" = "$manifest" ] || fail another "$there" "$manifest"
        say already
        end 0
    fi
    # What a power cut left of it is sent again. It isn't current: activation waits for the disk.
    [ "$(readlink current 2>/dev/null)" != "$final" ] || fail taken
    clean "releases/.gone-$name" 2>/dev/null
    mv -T "$final" "releases/.gone-$name" && rm -f "$final.manifest" || fail place
    clean "releases/.gone-$name" 2>/dev/null
elif [ -e "$final.manifest" ] || [ -L "$final.manifest" ]; then
    # A run that died left it.
    rm -f "$final.manifest" || fail place
fi
shift 9

# full: prints the biggest folders, for people.
full() {
    timeout 10 du -sk releases/* shared .rfab/* 2>/dev/null | sort -rn | head -n 5 | while IFS=$tab read -r size path; do
        say "biggest $size $(hex "$path")"
    done
    fail "$@"
}
# crowded: ends the program if the disk is full.
crowded() {
    now=$(stat -f -c '%a %S' releases) || return 0
    [ $((${now% *} * ${now#* })) -ge "$room" ] || full space "$room" $((${now% *} * ${now#* }))
}
# broken KIND: a write failed: finds out whether the disk is full.
broken() {
    crowded
    fail "$@"
}

facts=$(stat -f -c '%a %S %d %c' releases) || fail stat
base_sha256=${1-} hash=${2-}
set -- $facts
need=$((room * 2))
free=$(($1 * $2))
[ "$free" -ge "$need" ] || full space "$need" "$free"
# A filesystem that doesn't count inodes has a total of 0.
[ "$4" -eq 0 ] || [ "$3" -ge $(((entries + 20) * 2)) ] || full inodes $(((entries + 20) * 2)) "$3"

work_in "$id"
find_out
[ "$base" = - ] || stand_on "$base" "$base_sha256"

# Into a folder that only this user can enter. What arrives is compared with the manifest before it gets its name.
mkdir "$tmp/out" || broken write
{ "$packing" -dc 2>/dev/null || say "$?" > "$tmp/cut"; } | head -c $((tar_bytes + 1)) |
    tar -x -o --no-same-permissions -f - -C "$tmp/out" > /dev/null 2> "$tmp/err"
unpacked=$?
# It ends with 141 if it has more than was announced, or if nobody reads on.
cut=$(cat "$tmp/cut" 2>/dev/null)
case $cut-$unpacked in
-0) ;;
141-0) fail archive size ;;
-* | 141-*) broken unpack "$(hex "$(head -c 300 "$tmp/err")")" ;;
*) broken short ;;
esac
gone= patches=
if [ "$base" != - ]; then
    gone="gone$nl"
    [ ! -e "$tmp/out/patches" ] || patches="patch${nl}patches$nl"
fi
[ "$(ls -A "$tmp/out")" = "${gone}manifest$nl${patches}tree" ] && [ ! -L "$tmp/out/tree" ] && [ -d "$tmp/out/tree" ] || fail archive top
for file in manifest ${gone:+gone} ${patches:+patches}; do
    [ -f "$tmp/out/$file" ] && [ ! -L "$tmp/out/$file" ] || fail archive top
done
if [ "$base" = - ]; then
    got=$(digest "$tmp/out/manifest")
    [ "$got" = "$manifest" ] || fail manifest "$got"
else
    # Before anything is changed that has another name elsewhere.
    twice=$(find "$tmp/out" -type f -links +1) || fail look
    [ -z "$twice" ] || fail archive 'hard-link'
    grown
fi
expect "$tmp/out/manifest" || fail manifest format
[ "$base" = - ] || { take; unproven; }
twin=h
compare "$tmp/out/tree" || fail look
if ! none '^h' "$tmp/seen"; then
    [ "$base" != - ] || fail archive 'hard-link'
    # The `cp` of busybox keeps the hard links of the base.
    fail base differs
fi
if [ -s "$tmp/missing" ] || [ -s "$tmp/extra" ] || [ -s "$tmp/changed" ]; then
    [ "$base" = - ] || drifted
    tell missing "$tmp/missing"
    tell extra "$tmp/extra"
    tell changed "$tmp/changed"
    fail tree
fi
case $(stat -c %a "$tmp/out/tree") in 755 | 2755) ;; *) fail tree ;; esac

# folders PATH: makes it; as root never through a link that another user made.
folders() {
    links=0
    if [ "$me" = 0 ]; then (fail() { exit 1; }; walk "$1" make); else mkdir -p "$1" 2>/dev/null; fi
}

# Shared files must exist; shared folders are made.
lacks=0
while IFS=$tab read -r kind path; do
    if [ "$kind" = F ] && [ ! -f "shared/$path" ]; then
        say "linked-file $(hex "$path")"
        lacks=1
    elif [ "$kind" = D ] && [ ! -d "shared/$path" ] && { [ -e "shared/$path" ] || [ -L "shared/$path" ]; }; then
        say "linked-folder $(hex "$path")"
        lacks=1
    fi
done < "$tmp/want.shared"
[ "$lacks" -eq 0 ] || fail linked
while IFS=$tab read -r kind path; do
    [ "$kind" = F ] || [ -d "shared/$path" ] || folders "shared/$path" || broken make "$(hex "shared/$path")"
done < "$tmp/want.shared"

# Another run may stage another build by the same name: the first one to link its manifest wins.
free_still() { if [ -e "$final" ] || [ -L "$final" ]; then fail taken; fi; }
free_still
chmod 444 "$tmp/out/manifest" && remember || broken write
# The files go to the disk after the release has its name, but before it is activated. Until then a mark tells in which
# boot it was made; a filesystem keeps the order of the mark and the names.
{ mkdir -p .rfab/unflushed 2>/dev/null && boot > ".rfab/unflushed/$name"; } || broken write
[ "$(boot)" != unknown ] || sync -f "$tmp/out" || broken sync
# A hard link is never a copy: it fails on another filesystem, where the rename below wouldn't be atomic.
free_still
ln "$tmp/out/manifest" "$final.manifest" 2>/dev/null || { [ ! -e "$final.manifest" ] || fail taken; broken apart; }
if ! mv -T "$tmp/out/tree" "$final" 2>/dev/null; then
    # Only its own manifest goes; it has a second link only if it is still there.
    [ "$(stat -c %h "$tmp/out/manifest")" = 1 ] || rm -f "$final.manifest"
    free_still
    fail place
fi
[ "$(digest "$final.manifest")" = "$manifest" ] || fail place
# Linux tells of a failed write only once: the mark tells it to all that come later.
{ sync -f releases && rm -f ".rfab/unflushed/$name" || say failed > ".rfab/unflushed/$name"; } < /dev/null > /dev/null 2>&1 &
say staged
end 0
