#compdef rfab
# Completes lines of rfab in zsh. Put this into ~/.zshrc, behind compinit:
#     source <(rfab --completions zsh)
_rfab() {
    local -a choices
    choices=("${(@f)$(rfab --complete zsh -- "${(@)words[2,CURRENT-1]}" "$PREFIX" 2> /dev/null)}")
    if [[ -n $choices ]]; then
        _describe -V 'rfab' choices
    else
        _files
    fi
}
compdef _rfab rfab
