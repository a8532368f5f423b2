#!/bin/sh
# one-symbol.sh FILE.so...: each exports lens_plugin_entry and nothing else.
set -eu
command -v nm >/dev/null || exit 77

for file in "$@"; do
    symbols=$(nm -D --defined-only "$file" | awk '{ print $NF }' |
        grep -v -e '^__odr_asan' -e '^_init$' -e '^_fini$' -e '^__asan' -e '^__ubsan' |
        tr '\n' ' ')
    [ "$symbols" = 'lens_plugin_entry ' ] || {
        echo "$file exports: $symbols"
        exit 1
    }
done
echo "$# files"
