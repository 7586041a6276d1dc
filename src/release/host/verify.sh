# verify PATH NAME ID: compares a staged release with its manifest.
enter "$1"
name=$2
is_release "$name" || fail name
target=releases/$name
[ -d "$target" ] && [ ! -L "$target" ] && [ -f "$target.manifest" ] && [ ! -L "$target.manifest" ] || fail not-staged
work_in "$3"
find_out
say "manifest $(digest "$target.manifest")"
expect "$target.manifest" || fail manifest format
compare "$target" || fail look
tell missing "$tmp/missing"
tell extra "$tmp/extra"
tell changed "$tmp/changed"
end 0
