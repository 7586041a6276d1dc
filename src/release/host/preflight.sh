# preflight PATH: says all that would keep a release from being staged here; changes nothing.
lacking
enter "$1"
for folder in releases shared .rfab .rfab/tmp; do
    if [ ! -d "$folder" ]; then say "lacks-folder $folder"
    elif [ ! -w "$folder" ] || [ ! -x "$folder" ]; then say "unwritable $folder"; fi
done
end 0
