# preflight PATH [FILE…]: prints everything that would keep a release from being staged here; changes nothing.
path=$1
shift
lacking
if [ ! -d "$path/shared" ]; then
    # The missing folder is also printed below.
    for file; do say "lacks-file $(hex "$file")"; done
    set --
fi
enter "$path"
for folder in releases shared .rfab .rfab/tmp; do
    if [ ! -d "$folder" ]; then say "lacks-folder $folder"
    elif [ ! -w "$folder" ] || [ ! -x "$folder" ]; then say "unwritable $folder"; fi
done
for file; do
    [ -f "shared/$file" ] || say "lacks-file $(hex "$file")"
done
end 0
