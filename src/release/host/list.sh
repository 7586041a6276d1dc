# list PATH: prints the releases of an app, and which is current.
enter "$1"
[ -d releases ] || fail not-set-up
if command -v xargs > /dev/null && command -v paste > /dev/null; then
    case $(cp -P --parents 2>&1) in *unrecognized* | *unknown* | *invalid* | *illegal*) ;; *) say tool copies ;; esac
fi
# Old versions of zstd can't patch.
if command -v zstd > /dev/null; then
    if zstd --patch-from=/dev/null -V > /dev/null 2>&1; then say tool patches; else say tool zstd; fi
fi
{ [ -d shared ] && [ -d .rfab/tmp ]; } || say lacks-folders
# complete: a line of name and commit for each complete release; the arguments are their manifests.
complete=
set --
for entry in releases/*; do
    name=${entry#releases/}
    [ -e "$entry" ] || [ -L "$entry" ] || continue
    case $name in *.manifest) is_release "${name%.manifest}" && continue ;; esac
    if ! is_release "$name" || [ -L "$entry" ] || [ ! -d "$entry" ]; then
        say "other $(hex "$name")"
        continue
    fi
    commit= header=
    if [ -f "$entry.manifest" ] && [ ! -L "$entry.manifest" ]; then
        IFS= read -r header < "$entry.manifest"
        case $header in "rfab-manifest 1 ${name#*-}"*) commit=${header##* } ;; esac
    fi
    if is_commit "$commit" && ! torn "$name"; then
        complete=$complete$name$tab$commit$nl
        set -- "$@" "$entry.manifest"
    else
        say "incomplete $name"
    fi
done
# One process for all of them.
[ "$#" -eq 0 ] || digests=$nl$(sha256sum "$@" 2>/dev/null)
printf %s "$complete" | while IFS=$tab read -r name commit; do
    case $digests in
    *"  releases/$name.manifest"*) ;;
    # It went meanwhile.
    *) say "incomplete $name"; continue ;;
    esac
    its_digest=${digests%%  releases/"$name".manifest*}
    say "release $name $commit ${its_digest##*"$nl"}"
done
if [ -L current ]; then
    target=$(readlink current; printf x)
    target=${target%?x}
    name=${target#releases/}
    if [ "$target" = "releases/$name" ] && is_release "$name" && [ -d "$target" ]; then
        say "current $name"
    else
        say "current-foreign $(hex "$target")"
        revision=
        [ ! -f current/REVISION ] || IFS= read -r revision < current/REVISION
        ! is_commit "$revision" || say "revision $revision"
    fi
elif [ -e current ]; then
    say current-foreign -
else
    say current-none
fi
end 0
