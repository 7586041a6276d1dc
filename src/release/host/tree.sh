# Compares a tree with its manifest.

# none LINES…: whether grep finds no such line; an error of grep doesn't count as none.
none() {
    grep "$@" > "$tmp/found"
    [ "$?" -eq 1 ]
}

# pick SCRIPT MANIFEST TO: rewrites lines of the manifest. No loop, because sh reads a file byte by byte.
pick() { sed -n "$1" "$2" > "$3" || fail write; }

# expect MANIFEST: writes what the tree must contain to $tmp/want*.
expect() {
    header=
    IFS= read -r header < "$1"
    case $header in "rfab-manifest 1 "*) ;; *) return 1 ;; esac
    t=$tab
    line="(d${t}755${t}-${t}-|f${t}(644|755)${t}[0-9]+${t}[0-9a-f]{64}|[lDF]${t}777${t}-${t}[^${t}]+)${t}\./[^${t}]+"
    pick '1!p' "$1" "$tmp/lines"
    none -Evx "$line" "$tmp/lines" || return 1
    pick "s/^\([df]\)$t\([0-9]*\)$t\([-0-9]*\)$t[^$t]*$t/\1 \2 \3 /p
        s/^[lDF]${t}777$t-$t[^$t]*$t/l 777 - /p" "$tmp/lines" "$tmp/want"
    pick "s/^[lDF]${t}777$t-$t\([^$t]*\)$t/\1$t/p" "$tmp/lines" "$tmp/want.links"
    pick "s/^f$t[0-9]*$t[0-9]*$t\([0-9a-f]*\)$t/\1  /p" "$tmp/lines" "$tmp/want.sums"
    pick "s/^\([DF]\)${t}777$t-$t[^$t]*$t\.\//\1$t/p" "$tmp/lines" "$tmp/want.shared"
    [ "$(wc -l < "$tmp/want")" -eq "$(wc -l < "$tmp/lines")" ]
}

# look TREE: writes what the tree contains to $tmp/have*. Stops at the first failure of find.
look() {
    (
        cd "$1" || exit 1
        find . -name "*$nl*" -exec stat -c 'n %a - newline' {} + &&
            find . -type f -exec stat -c 'f %a %s %n' {} + &&
            find . ! -name . -type d -exec stat -c 'd %a - %n' {} + &&
            find . -type l -exec stat -c 'l %a - %n' {} + &&
            find . ! -type f ! -type d ! -type l -exec stat -c 'x %a - %n' {} +
    ) > "$tmp/seen" 2> "$tmp/have.err" || return 1
    # A folder inherits the setgid bit of the folder above it; the bit sets the group of new files, and gives no rights.
    sed 's/^d 2\(... \)/d \1/' "$tmp/seen" > "$tmp/have" || fail write
    (
        cd "$1" || exit 1
        # A target may end in newlines, which `$(…)` would remove.
        find . -type l -exec sh -c 'for link; do
            target=$(readlink "$link"; printf x)
            printf "%s\t%s\n" "${target%?x}" "$link"
        done' sh {} +
    ) > "$tmp/have.links" 2> "$tmp/have.err"
}

# only_in A B TO: writes the lines of A that aren't in B; neither file has duplicate lines.
only_in() {
    sort "$1" "$2" "$2" > "$tmp/sorted" || fail write
    uniq -u "$tmp/sorted" > "$3" || fail write
}

# compare TREE: writes the differences to $tmp/missing, $tmp/extra and $tmp/changed. It hashes what $tmp/want.sums names.
compare() {
    look "$1" || return 1
    cat "$tmp/want.links" >> "$tmp/want" && cat "$tmp/have.links" >> "$tmp/have" || fail write
    only_in "$tmp/want" "$tmp/have" "$tmp/missing"
    only_in "$tmp/have" "$tmp/want" "$tmp/extra"
    : > "$tmp/changed" || fail write
    # What isn't a file of the right size isn't read: it may be a pipe, or a link to something without an end.
    pick 's/^f [0-9]* [0-9]* /  /p' "$tmp/missing" "$tmp/unread"
    if [ -s "$tmp/unread" ]; then grep -vF -f "$tmp/unread" "$tmp/want.sums"; else cat "$tmp/want.sums"; fi > "$tmp/to-read"
    files=$(wc -l < "$tmp/to-read")
    [ "$files" -gt 0 ] || return 0
    (cd "$1" && sha256sum -c "$root/$tmp/to-read") > "$tmp/sums" 2>/dev/null
    good=$(grep -c ': OK$' "$tmp/sums")
    none -v ': OK$' "$tmp/sums" || cat "$tmp/found" > "$tmp/changed" || fail write
    [ "$good" -eq "$files" ] || [ -s "$tmp/changed" ] || say "unread $((files - good))" > "$tmp/changed"
    return 0
}
