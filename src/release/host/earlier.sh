# Builds a release upon an earlier one on this host: takes from it what stays the same.
#
# `.rfab/records/NAME` has a line for each file of a release: when its inode changed, its inode, size and kind, and the
# sha256 that was computed then. No user but root can set the time of such a change. A base file with the same line is
# what it was; every other is hashed again.

# each LIST COMMAND…: runs the command with the names in a list of lines.
each() {
    of=$root/$1
    shift
    [ ! -s "$of" ] || tr '\n' '\000' < "$of" | xargs -0 "$@"
}

# stand_on NAME SHA256: proves the manifest of the earlier release, and finds out how files are copied here.
stand_on() {
    base=releases/$1
    is_release "$1" && [ -d "$base" ] && [ ! -L "$base" ] && [ -f "$base.manifest" ] && [ ! -L "$base.manifest" ] || fail base gone
    ! torn "$1" || fail base gone
    cp "$base.manifest" "$tmp/base" 2>/dev/null || broken base gone
    [ "$(digest "$tmp/base")" = "$2" ] || fail base another
    printf '%s\n' ./alive > "$tmp/try" && mkdir "$tmp/tried" || broken write
    for copy in 'cp -P --parents --reflink=auto' 'cp -P --parents' ''; do
        [ -n "$copy" ] || fail base tools
        (cd "$tmp" && each "$tmp/try" sh -c "$copy \"\$@\" tried" sh) 2>/dev/null && [ -f "$tmp/tried/alive" ] && break
    done
}

# grown: makes the manifest of the lines that stay and those that arrived, and lists what stays.
grown() {
    saved "$tmp/kept" sed -f "$tmp/out/gone" "$tmp/base" || broken base tools
    {
        head -n 1 "$tmp/out/manifest"
        { cat "$tmp/kept"; sed 1d "$tmp/out/manifest"; } | sort -t "$tab" -k 5
    } > "$tmp/manifest" && mv "$tmp/manifest" "$tmp/out/manifest" || broken write
    [ "$(digest "$tmp/out/manifest")" = "$manifest" ] || fail base another
    parted "$tmp/kept" "$tmp/kept"
    columns 4,5 "$tmp/kept.sums" "$tmp/kept.f"
    columns 5 "$tmp/kept.files" "$tmp/kept.f"
    columns 5 "$tmp/kept.names" "$tmp/kept.f" "$tmp/kept.l"
}

# recorded TREE FILES SUMS TO: writes a line for each file. A file that can't be read makes the result too short.
recorded() {
    (cd "$1" && each "$2" stat -c "%z$tab%i$tab%s$tab%f" --) > "$tmp/stats" 2>/dev/null
    [ "$(wc -l < "$tmp/stats")" -eq "$(wc -l < "$3")" ] || return 1
    saved "$4" paste "$tmp/stats" "$3" || broken base tools
}

# take: copies what stays from the base: only files of the right size, and links.
take() {
    (cd "$base" && each "$tmp/kept.names" stat -c "%f$tab%s$tab%n" --) > "$tmp/there" 2>/dev/null
    pick "s/^8...$tab//p
        s/^a...$tab[0-9]*$tab/-$tab/p" "$tmp/there" "$tmp/fit"
    columns 3,5 "$tmp/due" "$tmp/kept.f" "$tmp/kept.l"
    columns 5 "$tmp/folders" "$tmp/want.d"
    sort "$tmp/fit" "$tmp/due" | uniq -d | cut -f 2 > "$tmp/taken" || broken write
    (cd "$tmp/out/tree" && each "$tmp/folders" mkdir -p --) || broken write
    # Nothing is known of a copy that failed: its size may be right.
    (cd "$base" && each "$tmp/taken" sh -c "to=\$1; shift; $copy -- \"\$@\" \"\$to\"" sh "$root/$tmp/out/tree") 2>/dev/null ||
        broken base copy
    [ -z "$patches" ] || patch
    # Every file has the time of the commit, wherever it came from.
    (cd "$tmp/out/tree" && find . ! -type l -exec touch -c -r "$root/$tmp/out/gone" {} +) || broken write
}

# patch: makes large files from those of the base and a difference. What comes out is hashed like all that arrived.
patch() {
    cut -f 2 "$tmp/out/patches" >> "$tmp/kept.names" || broken write
    while IFS=$tab read -r number path; do
        case $number in '' | *[!0-9]*) fail archive patch ;; esac
        of=$base/$path
        # Never a pipe, and nothing that takes more memory than was meant.
        [ -f "$of" ] && [ ! -L "$of" ] && [ "$(stat -c %s "$of")" -le 67108864 ] || continue
        zstd -d -q -f --patch-from="$of" "$tmp/out/patch/$number" -o "$tmp/out/tree/$path" > /dev/null 2>&1 || crowded
    done < "$tmp/out/patches"
}

# unproven: writes the files to hash: those that arrived, and of the base those that aren't as they were recorded, or all.
unproven() {
    cat "$tmp/kept.sums" > "$tmp/again" || broken write
    record=.rfab/records/${base#releases/}
    if [ "$hash" = changed ] && [ -f "$record" ] && [ ! -L "$record" ] && recorded "$base" "$tmp/kept.files" "$tmp/kept.sums" "$tmp/now"; then
        only_in "$tmp/now" "$record" "$tmp/other"
        saved "$tmp/again" cut -f 5- "$tmp/other" || broken write
    fi
    only_in "$tmp/want.sums" "$tmp/kept.sums" "$tmp/sums.arrived"
    cat "$tmp/sums.arrived" "$tmp/again" > "$tmp/want.sums" || broken write
}

# drifted: names what the base doesn't have any more as it was staged.
drifted() {
    pick "s/.*$tab//p" "$tmp/missing" "$tmp/lost"
    pick 's/: FAILED[ a-z]*$//p' "$tmp/changed" "$tmp/torn"
    sort -u "$tmp/lost" "$tmp/torn" > "$tmp/differs" && sort "$tmp/differs" "$tmp/kept.names" | uniq -d > "$tmp/drifted" || broken write
    [ -s "$tmp/drifted" ] && [ "$(wc -l < "$tmp/drifted")" -le 500 ] || fail base differs
    while IFS= read -r line; do say "drifted $(hex "$line")"; done < "$tmp/drifted"
    fail drifted
}

# remember: records the files of the new release. A file that changed in this very moment isn't recorded.
remember() {
    columns 5 "$tmp/files" "$tmp/want.f"
    columns 4,5 "$tmp/sums.all" "$tmp/want.f"
    : > "$tmp/moment" || broken write
    moment=$(stat -c %z "$tmp/moment")
    command -v xargs > /dev/null && command -v paste > /dev/null && recorded "$tmp/out/tree" "$tmp/files" "$tmp/sums.all" "$tmp/record" || return 0
    { cat "$tmp/record"; printf '%s\n' "$moment"; } | sort | sed "/^$moment/,\$d" > "$tmp/new.record" || broken write
    mkdir -p .rfab/records 2>/dev/null && mv -T "$tmp/new.record" ".rfab/records/$name" 2>/dev/null || return 0
}
