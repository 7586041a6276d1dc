# Compares a tree with its manifest.

# piped TO COMMAND…: writes what the command prints. busybox's tools don't tell that the disk is full, except `cat`.
piped() {
    to=$1
    shift
    statuses=$({ { "$@"; printf %s "$?" >&3; } | cat > "$to" || printf x >&3; } 3>&1)
    [ "$statuses" = 0 ]
}
# saved TO COMMAND…: does the same. Tools that tell it write alone, which takes a quarter of the processes.
saved() { if [ -n "$telling" ]; then to=$1; shift; ("$@") > "$to"; else piped "$@"; fi; }

# tells_when_full FILE: whether each tool tells that it couldn't write.
tells_when_full() {
    [ -c /dev/full ] || return 1
    for tool in 'sed p' sort uniq 'cut -c 1' paste sha256sum 'stat -c %n' 'find -H'; do
        ! $tool "$1" > /dev/full || return 1
    done
}
telling=
find_out() { if (tells_when_full "$tmp/alive") 2>/dev/null; then telling=yes; fi; }

# none LINES…: whether grep finds no such line; an error of grep doesn't count as none.
none() {
    grep "$@" > "$tmp/found"
    [ "$?" -eq 1 ]
}

# pick SCRIPT MANIFEST TO: rewrites lines of the manifest. No loop, because sh reads a file byte by byte.
pick() { saved "$3" sed -n "$1" "$2" || fail write; }

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

# A name with a newline could pass for others: only `broken_names` finds it.
names() {
    cd "$1" 2>/dev/null &&
        find . ! -path "*$nl*" -type f -exec stat -c 'f %a %s %n' {} + &&
        find . ! -path "*$nl*" ! -name . -type d -exec stat -c 'd %a - %n' {} + &&
        find . ! -path "*$nl*" -type l -exec stat -c 'l %a - %n' {} + &&
        find . ! -path "*$nl*" ! -type f ! -type d ! -type l -exec stat -c 'x %a - %n' {} +
}
broken_names() { cd "$1" 2>/dev/null && find . -path "*$nl*" -exec stat -c 'n %a - newline' {} +; }

# targets TREE: prints the links. The target may end in newlines, which `$(…)` would remove. A target with a newline
# becomes one that no manifest can have, with a tab; so each line is another.
targets() {
    cd "$1" 2>/dev/null && find . ! -path "*$nl*" -type l -exec sh -c 'nl=$1; shift; for link; do
        target=$(readlink "$link"; printf x)
        target=${target%?x}
        case $target in *"$nl"*) target="newline	" ;; esac
        printf "%s\t%s\n" "$target" "$link"
    done' sh "$nl" {} +
}

# look TREE: writes what the tree contains to $tmp/have*. Stops at the first failure of find.
look() {
    { saved "$tmp/seen" names "$1" && saved "$tmp/newlines" broken_names "$1"; } 2>/dev/null || return 1
    # A folder inherits the setgid bit of the folder above it; the bit sets the group of new files, and gives no rights.
    saved "$tmp/have" sed 's/^d 2\(... \)/d \1/' "$tmp/seen" || fail write
    # Here a shell writes.
    piped "$tmp/have.links" targets "$1" 2>/dev/null
}

# only_in A B TO: writes the lines of A that aren't in B; neither file has duplicate lines.
only_in() {
    saved "$tmp/sorted" sort "$1" "$2" "$2" && saved "$3" uniq -u "$tmp/sorted" || fail write
}

# compare TREE: writes the differences to $tmp/missing, $tmp/extra and $tmp/changed. It hashes what $tmp/want.sums names.
compare() {
    look "$1" || return 1
    cat "$tmp/want.links" >> "$tmp/want" && cat "$tmp/have.links" >> "$tmp/have" || fail write
    only_in "$tmp/want" "$tmp/have" "$tmp/missing"
    only_in "$tmp/have" "$tmp/want" "$tmp/extra"
    cat "$tmp/newlines" >> "$tmp/extra" && : > "$tmp/changed" || fail write
    # What isn't a file of the right size isn't read: it may be a pipe, or a link to something without an end.
    pick "s/^f [0-9]* [0-9]* /$(printf %064d 0)  /p" "$tmp/missing" "$tmp/unread"
    # The same names are next to each other; after the sha256, what is there twice or thrice goes away.
    saved "$tmp/sorted" sort -t "$tab" -k 1.65 "$tmp/want.sums" "$tmp/unread" "$tmp/unread" &&
        saved "$tmp/to-read" uniq -u -s 64 "$tmp/sorted" || fail write
    files=$(wc -l < "$tmp/to-read")
    [ "$files" -gt 0 ] || return 0
    saved "$tmp/sums" sums "$1" 2>/dev/null
    same=$?
    # Each file has one line, unless the disk is full.
    [ "$(wc -l < "$tmp/sums")" -eq "$files" ] || fail write
    pick '/: OK$/!p' "$tmp/sums" "$tmp/changed"
    [ "$same" -eq 0 ] || [ -s "$tmp/changed" ] || fail look
}

sums() { cd "$1" 2>/dev/null && sha256sum -c "$root/$tmp/to-read"; }
