# note LINE: appends a line to the ledger, as its owner, and syncs it to the disk.
note() {
    line=$1
    case $line in *@AT@*) line=${line%%@AT@*}$(date -u +%Y-%m-%dT%H:%M:%SZ)${line#*@AT@} ;; esac
    if [ -n "$owner" ]; then
        printf '%s\n' "$line" | sudo -n -u "$owner" -- /bin/sh -c 'cat >> "$1" && sync "$1"' sh "$ledger"
    else
        printf '%s\n' "$line" >> "$ledger" && sync "$ledger"
    fi
}
