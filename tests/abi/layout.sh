#!/bin/sh
# layout.sh INCLUDE [--update]: the layout of the headers must be that of layout.txt: each
# struct with its size, each member with offset and size, each constant with its value.
set -eu
include=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 "$here/layout.py" "$include" >"$work/layout.c"
${CC:-cc} -std=c11 -I "$include" -o "$work/layout" "$work/layout.c"
"$work/layout" >"$work/layout.txt"
if [ "$(getconf LONG_BIT)" != 64 ]; then
    echo "layout.txt is that of 64-bit machines"
    exit 77
fi
if [ "${2:-}" = --update ]; then
    cp "$work/layout.txt" "$here/layout.txt"
    exit 0
fi
diff -u "$here/layout.txt" "$work/layout.txt"
