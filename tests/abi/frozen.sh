#!/bin/sh
# frozen.sh INCLUDE FROZEN: the frozen copy of this minor says the same as the headers, but for
# comments. See README.md for when it may be refreshed.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for folder in "$1" "$2"; do
    echo '#include <lens/plugin.h>' | ${CC:-cc} -std=c11 -E -P -I "$folder" - |
        tr -s ' \n' '\n' >"$work/$(echo "$folder" | cksum | tr ' ' -)"
    echo '#include <lens/plugin.h>' | ${CC:-cc} -std=c11 -E -dM -I "$folder" - |
        grep LENS_ | sort >>"$work/$(echo "$folder" | cksum | tr ' ' -)"
done
set -- "$work"/*
diff -u "$1" "$2" || {
    echo "tests/abi/1.0 differs from include/lens; see tests/abi/README.md"
    exit 1
}
