# Completes lines of rfab in fish. Put this into ~/.config/fish/completions/rfab.fish:
#     rfab --completions fish > ~/.config/fish/completions/rfab.fish
function __rfab_choices
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    rfab --complete fish -- $words[2..-1] "$last" 2> /dev/null
end
complete -c rfab -f -k -a '(__rfab_choices)'
complete -c rfab -s f -l fabfile -r -F
