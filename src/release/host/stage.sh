# stage PATH NAME ID BYTES SHA256 MANIFEST_SHA256 ROOM ENTRIES TAR_BYTES: unpacks the archive on stdin as a release.
enter "$1"
name=$2 bytes=$4 sha256=$5 manifest=$6 room=$7 entries=$8 tar_bytes=$9
is_release "$name" || fail name
[ -d releases ] && [ -d shared ] || fail not-set-up
final=releases/$name

if [ -e "$final" ] || [ -L "$final" ]; then
    [ -d "$final" ] && [ ! -L "$final" ] && [ -f "$final.manifest" ] || fail taken
    there=$(digest "$final.manifest")
    [ "$there" = "$manifest" ] || fail another "$there" "$manifest"
    say already
    end 0
fi

id=$3
# full: prints the biggest folders, for people.
full() {
    timeout 10 du -sk releases/* shared .rfab/* 2>/dev/null | sort -rn | head -n 5 | while IFS=$tab read -r size path; do
        say "biggest $size $(hex "$path")"
    done
    fail "$@"
}
# broken KIND: a write failed: finds out whether the disk is full.
broken() {
    now=$(stat -f -c '%a %S' releases) || fail "$@"
    [ $((${now% *} * ${now#* })) -ge "$room" ] || full space "$((room + bytes))" $((${now% *} * ${now#* }))
    fail "$@"
}

facts=$(stat -f -c '%a %S %d %c' releases) || fail stat
set -- $facts
need=$(((room + bytes) * 2))
free=$(($1 * $2))
[ "$free" -ge "$need" ] || full space "$need" "$free"
# A filesystem that doesn't count inodes has a total of 0.
[ "$4" -eq 0 ] || [ "$3" -ge $(((entries + 20) * 2)) ] || full inodes $(((entries + 20) * 2)) "$3"

work_in "$id"
placing=releases/.manifest-$id
cleanup() {
    rm -f "$placing"
    clean "$tmp"
}

head -c $((bytes + 1)) > "$tmp/archive" || broken write
got=$(stat -c %s "$tmp/archive") || broken write
[ "$got" -ge "$bytes" ] || fail short "$got"
[ "$got" -le "$bytes" ] || fail long
got=$(digest "$tmp/archive")
[ "$got" = "$sha256" ] || fail digest "$got"
gzip -dc < "$tmp/archive" 2>/dev/null | head -c $((tar_bytes + 1)) > "$tmp/tar" || broken write
[ "$(stat -c %s "$tmp/tar")" -eq "$tar_bytes" ] || broken archive size
rm -f "$tmp/archive"

# Refuses what rfab never archives, before anything is unpacked.
tar -tvf "$tmp/tar" > "$tmp/list" 2>/dev/null || fail archive list
count=$(wc -l < "$tmp/list")
[ "$count" -eq $((entries + 2)) ] || fail archive count "$count"
# No device, no hard link, and no program that runs as its owner.
none -v '^[dl-][r-][w-][x-][r-][w-][x-][r-][w-][x-] ' "$tmp/list" || fail archive kind
tar -tf "$tmp/tar" > "$tmp/list" 2>/dev/null || fail archive list
none -Ev '^(tree/.*|tree|manifest)$' "$tmp/list" || fail archive name "$(hex "$(head -n 1 "$tmp/found")")"
none -E '(^|/)\.\.(/|$)' "$tmp/list" || fail archive name "$(hex "$(head -n 1 "$tmp/found")")"

mkdir "$tmp/out" || broken write
tar -x -o --no-same-permissions -f "$tmp/tar" -C "$tmp/out" > /dev/null 2> "$tmp/err" || broken unpack "$(hex "$(head -c 300 "$tmp/err")")"
rm -f "$tmp/tar"
[ "$(ls -A "$tmp/out")" = "manifest${nl}tree" ] && [ ! -L "$tmp/out/tree" ] && [ -d "$tmp/out/tree" ] || fail archive top
[ -f "$tmp/out/manifest" ] && [ ! -L "$tmp/out/manifest" ] || fail archive top
got=$(digest "$tmp/out/manifest")
[ "$got" = "$manifest" ] || fail manifest "$got"
expect "$tmp/out/manifest" || fail manifest format
compare "$tmp/out/tree" || fail look
twice=$(find "$tmp/out" -type f -links +1) || fail look
[ -z "$twice" ] || fail archive 'hard-link'
if [ -s "$tmp/missing" ] || [ -s "$tmp/extra" ] || [ -s "$tmp/changed" ]; then
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

chmod 444 "$tmp/out/manifest" && sync -f "$tmp/out" || broken sync
# A hard link is never a copy: it fails on another filesystem, where the renames below wouldn't be atomic.
ln "$tmp/out/manifest" "$placing" 2>/dev/null || broken apart
mv -T "$placing" "$final.manifest" || fail place
if [ -e "$final" ] || [ -L "$final" ]; then fail taken; fi
mv -T "$tmp/out/tree" "$final" || fail place
sync releases || fail sync
say staged
end 0
