# share PATH NAME ID BYTES: makes a linked file of what is on stdin, unless something is there.
enter "$1"
file=shared/$2
case $3 in '' | .* | -* | *[!A-Za-z0-9._-]*) fail id ;; esac
[ -d shared ] || fail not-set-up
if [ -e "$file" ] || [ -L "$file" ]; then say already; end 0; fi
folder=${file%/*}
mkdir -p "$folder" 2>/dev/null || fail make "$(hex "$root/$folder")"
# Beside the file, for `shared` may be on another filesystem.
new=$folder/.rfab-$3
cleanup() { rm -f "$new"; }
cleanup
cat > "$new" || fail write
got=$(stat -c %s "$new") || fail write
[ "$got" -eq "$4" ] || fail short "$got"
sync "$new" || fail sync
# A link never takes the place of what somebody made meanwhile.
if ! ln "$new" "$file" 2>/dev/null; then
    [ -e "$file" ] || [ -L "$file" ] || fail place
    say already
    end 0
fi
sync "$folder" || fail sync
say made
end 0
