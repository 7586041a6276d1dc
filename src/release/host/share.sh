# share PATH NAME ID BYTES MODE [secret]: makes a linked file from stdin, unless something exists there.
enter "$1"
file=shared/$2
case $3 in '' | .* | -* | *[!A-Za-z0-9._-]*) fail id ;; esac
[ -d shared ] || fail not-set-up
if [ -e "$file" ] || [ -L "$file" ]; then say already; end 0; fi
folder=${file%/*}
links=0
(fail() { exit 1; }; walk "$folder" make) || fail make "$(hex "$root/$folder")"
# In a folder beside the file, because `shared` may be on another filesystem.
walk "$folder"
file=${file##*/}
cleanup() { let_go; }
hold "$3"
(umask 077 && set -C && cat > ./new) || fail write
got=$(stat -c %s ./new) || fail write
[ "$got" -eq "$4" ] || fail short "$got"
mode=$5
[ "$mode" != - ] || mode=644
[ "$5$#" != -6 ] || mode=600
chmod "$mode" ./new && sync ./new || fail sync
# `ln` never replaces what somebody made meanwhile.
if ! ln ./new "../$file" 2>/dev/null; then
    [ -e "../$file" ] || [ -L "../$file" ] || fail place
    say already
    end 0
fi
sync .. || fail sync
say made
end 0
