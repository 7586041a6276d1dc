# setup PATH [adopt]: makes the folders of an app; leaves those of another tool to `adopt`.
case $1 in /*) ;; *) fail path ;; esac
missing=$(lacking | head -n 1)
[ -z "$missing" ] || fail missing "${missing#* }"
links=0
if [ "$me" = 0 ]; then (fail() { exit 1; }; walk "$1" make) else mkdir -p -- "$1" 2>/dev/null; fi || fail make "$(hex "$1")"
enter "$1"

# folder NAME MODE [KEEP]: makes the folder if it is missing; refuses a link in its place, unless KEEP is given.
folder() {
    if [ -L "$1" ] && [ "$#" -lt 3 ]; then fail link "$(hex "$1")"; fi
    if [ -d "$1" ]; then
        [ "$#" -ge 3 ] || chmod "$2" "$1" 2>/dev/null || fail owner "$(hex "$1")"
    else
        (case $2 in 700) umask 077 ;; esac && mkdir "$1") 2>/dev/null || fail make "$(hex "$root/$1")"
        say "made $1"
    fi
    [ -w "$1" ] || fail owner "$(hex "$1")"
}

# Finds what another tool left, and prints it for people.
others=0 tool=
for entry in releases/*; do
    name=${entry#releases/}
    [ -d "$entry" ] && [ ! -L "$entry" ] && ! is_release "$name" && others=$((others + 1))
done
target=-
if [ -L current ]; then
    target=$(readlink current; printf x)
    target=${target%?x}
    name=${target#releases/}
    if [ "$target" = "releases/$name" ] && is_release "$name"; then target=-; fi
fi
if [ "$target" != - ] || [ "$others" -gt 0 ] || { [ -e current ] && [ ! -L current ]; }; then
    tool="another tool's layout"
    if [ -f revisions.log ] || [ -f current/REVISION ] || [ -d repo ] || [ -d shared/cached-copy ]; then
        tool="Capistrano's layout"
    fi
    if [ -e current ] && [ ! -L current ]; then say "tool $(hex "$tool")"; fail current-folder "$(hex "$root/current")"; fi
    # A folder with `.rfab` was taken over earlier.
    [ -d .rfab ] || [ "${2-}" = adopt ] || fail foreign "$(hex "$tool")"
    say "tool $(hex "$tool")"
    say "others $others"
    [ "$target" = - ] || say "foreign $(hex "$target")"
    revision=
    [ ! -f current/REVISION ] || IFS= read -r revision < current/REVISION
    ! is_commit "$revision" || say "revision $revision"
fi

folder releases 755
folder shared 755 keep
folder .rfab 755
folder .rfab/tmp 700

try=.rfab/tmp/setup.$$
cleanup() { rm -rf "$try"; }
mkdir "$try" && ln -s a "$try/b" && ln -s c "$try/d" || fail write
mv -T "$try/b" "$try/d" 2>/dev/null && [ "$(readlink "$try/d")" = a ] || fail missing 'mv -T'
sync "$try" 2>/dev/null && sync -f "$try" 2>/dev/null || fail missing 'sync FILE'
# On another filesystem a rename would become a copy.
: > "$try/e" && ln "$try/e" "releases/.try-$$" 2>/dev/null || fail apart
rm -f "releases/.try-$$"
sync releases . || fail write
end 0
