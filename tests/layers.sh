#!/bin/sh
# Every include follows the arrows of ARCHITECTURE.md and goes through a
# folder's door (FOLDER/FOLDER.h; base/protocol.h, base/confine.h and
# storage/reader.h are doors too). Inside a folder anything may be included.
cd "${top_srcdir:-.}" || exit 99

allowed() { # FROM TO: may FROM include TO's door?
    case $1:$2 in
    app:ui | app:storage | app:base) ;;
    engine:kernels | engine:quant | engine:storage | engine:base) ;;
    kernels:quant | kernels:base) ;;
    ui:base | storage:base | quant:base) ;;
    tests:* | bench:*) ;;
    *) return 1 ;;
    esac
}

bad=$(
    grep -Hn '^#include "' app/*.[ch] app/*/*.[ch] base/*.[ch] engine/*.[ch] \
        engine/*/*.[ch] kernels/*.[ch] kernels/*/*.[ch] kernels/*/*.cu \
        quant/*.[ch] ui/*.[ch] ui/*/*.[ch] storage/*.[ch] 2>/dev/null |
    sed -n 's/^\([a-z]*\)\(\/[^:]*:[0-9]*\):#include "\([^"]*\)".*/\1 \1\2 \3/p' |
    while read -r from where header; do
        to=${header%%/*}
        case $header in config.h) continue ;; esac
        [ "$to" = "$from" ] && continue
        if ! allowed "$from" "$to"; then
            echo "$where: $from may not include $header"
            continue
        fi
        case $header in
        "$to/$to.h" | base/protocol.h | base/confine.h | storage/reader.h) ;;
        *) echo "$where: $header is not a door" ;;
        esac
        case $from:$header in
        engine:storage/storage.h) echo "$where: engine uses storage/reader.h" ;;
        esac
    done
)

echo 1..1
if [ -n "$bad" ]; then
    echo "$bad" | sed 's/^/# /'
    echo "not ok 1 - every_include_follows_the_arrows"
    exit 1
fi
echo "ok 1 - every_include_follows_the_arrows"
