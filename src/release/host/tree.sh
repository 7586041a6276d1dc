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

# pick SCRIPT FILE TO: rewrites lines of a file. No loop, because sh reads a file byte by byte.
pick() { saved "$3" sed -n "$1" "$2" || fail write; }
# columns LIST TO FILE…: writes these columns. `sed` with a group takes eight times as long.
columns() { list=$1 into=$2; shift 2; saved "$into" cut -f "$list" "$@" || fail write; }

# parted LINES TO: writes the lines of a manifest by their kind, to TO.f, TO.d and TO.l.
parted() {
    true > "$2.f" && true > "$2.d" && true > "$2.l" || fail write
    pick "/^f/w $2.f
        /^d/w $2.d
        /^[lDF]/w $2.l" "$1" "$2.other"
    # None is lost, even if the disk is full.
    [ "$(cat "$2.f" "$2.d" "$2.l" | wc -l)" -eq "$(wc -l < "$1")" ] || fail write
}

# expect MANIFEST: writes what the tree must contain to $tmp/want*.
expect() {
    header=
    IFS= read -r header < "$1"
    case $header in "rfab-manifest 1 "*) ;; *) return 1 ;; esac
    t=$tab
    line="(d${t}755${t}-${t}-|f${t}(644|755)${t}[0-9]+${t}[0-9a-f]{64}|[lDF]${t}777${t}-${t}[^${t}]+)${t}\./[^${t}]+"
    pick '1!p' "$1" "$tmp/lines"
    none -Evx "$line" "$tmp/lines" || return 1
    parted "$tmp/lines" "$tmp/want"
    pick 's/^[lDF]/l/p' "$tmp/want.l" "$tmp/want.link"
    columns 1-3,5 "$tmp/want" "$tmp/want.f" "$tmp/want.d" "$tmp/want.link"
    columns 4,5 "$tmp/want.links" "$tmp/want.l"
    columns 4,5 "$tmp/want.sums" "$tmp/want.f"
    pick "s/^\([DF]\)${t}777$t-$t[^$t]*$t\.\//\1$t/p" "$tmp/want.l" "$tmp/want.shared"
}

# names TREE: prints kind, mode, size and name of all in it. A name with a newline could pass for others, so it isn't
# printed. `twin` is the kind of a file that has another name, too.
twin=f
names() {
    cd "$1" 2>/dev/null && find . -path "*$nl*" -exec stat -c "n$tab%a$tab-${tab}newline" {} + \
        -o -type f -links +1 -exec stat -c "$twin$tab%a$tab%s$tab%n" {} + \
        -o -type f -exec stat -c "f$tab%a$tab%s$tab%n" {} + \
        -o -type d ! -name . -exec stat -c "d$tab%a$tab-$tab%n" {} + \
        -o -type l -exec stat -c "l$tab%a$tab-$tab%n" {} + \
        -o ! -name . -exec stat -c "x$tab%a$tab-$tab%n" {} +
}

# targets TREE: prints the links. The target may end in newlines, which `$(…)` would remove. A target with a newline or
# a tab becomes one that no manifest can have, with a tab; so each line is another.
targets() {
    cd "$1" 2>/dev/null && find . ! -path "*$nl*" -type l -exec sh -c 'nl=$1 tab=$2; shift 2; for link; do
        target=$(readlink "$link"; printf x)
        target=${target%?x}
        case $target in *"$nl"* | *"$tab"*) target="newline$tab" ;; esac
        printf "%s\t%s\n" "$target" "$link"
    done' sh "$nl" "$tab" {} +
}

# look TREE: writes what the tree contains to $tmp/have*. Stops at the first failure of find.
look() {
    saved "$tmp/seen" names "$1" 2>/dev/null || return 1
    pick '/^n/p' "$tmp/seen" "$tmp/newlines"
    # A folder inherits the setgid bit of the folder above it; the bit sets the group of new files, and gives no rights.
    pick "/^n/d
        s/^d${tab}2\(...$tab\)/d$tab\1/
        p" "$tmp/seen" "$tmp/have"
    if none '^l' "$tmp/seen"; then
        : > "$tmp/have.links"
    else
        # Here a shell writes.
        piped "$tmp/have.links" targets "$1" 2>/dev/null
    fi
}

# only_in A B TO: writes the lines of A that aren't in B; neither file has duplicate lines.
only_in() {
    saved "$tmp/sorted" sort "$1" "$2" "$2" && saved "$3" uniq -u "$tmp/sorted" || fail write
}

# compare TREE: writes the differences to $tmp/missing, $tmp/extra and $tmp/changed. It hashes what $tmp/want.sums names.
compare() {
    look "$1" || return 1
    cat "$tmp/want.links" >> "$tmp/want" && cat "$tmp/have.links" >> "$tmp/have" && true > "$tmp/missing" || fail write
    saved "$tmp/sorted" sort "$tmp/want" "$tmp/have" && saved "$tmp/extra" uniq -u "$tmp/sorted" || fail write
    if [ -s "$tmp/extra" ]; then
        only_in "$tmp/want" "$tmp/have" "$tmp/missing"
        only_in "$tmp/have" "$tmp/want" "$tmp/extra"
    fi
    cat "$tmp/newlines" >> "$tmp/extra" && true > "$tmp/changed" || fail write
    # What isn't a file of the right size isn't read: it may be a pipe, or a link to something without an end.
    pick "s/^f$tab[0-9]*$tab[0-9]*$tab/$(printf %064d 0)$tab/p" "$tmp/missing" "$tmp/unread"
    if [ -s "$tmp/unread" ]; then
        # The same names are next to each other; after the sha256, what is there twice or thrice goes away.
        saved "$tmp/sorted" sort -t "$tab" -k 2 "$tmp/want.sums" "$tmp/unread" "$tmp/unread" &&
            saved "$tmp/want.sums" uniq -u -s 64 "$tmp/sorted" || fail write
    fi
    pick "s/$tab/  /p" "$tmp/want.sums" "$tmp/to-read"
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
