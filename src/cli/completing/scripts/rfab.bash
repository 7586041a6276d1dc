# Completes lines of rfab in bash. Put this into ~/.bashrc:
#     source <(rfab --completions bash)
_rfab() {
    local line=${COMP_LINE:0:COMP_POINT} word= IFS=$' \t\n'
    local -a words
    read -ra words <<< "$line"
    case $line in
        *[[:space:]]) words+=("") ;;
        *) word=${words[${#words[@]} - 1]} ;;
    esac
    IFS=$'\n'
    COMPREPLY=($(rfab --complete bash -- "${words[@]:1}" 2> /dev/null))
    # bash takes a word apart at `:` and `=`, and wants the last part alone.
    case $word in
        *[:=]*) COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*[:=]}"}"}") ;;
    esac
}
complete -o default -o nosort -F _rfab rfab 2> /dev/null || complete -o default -F _rfab rfab
