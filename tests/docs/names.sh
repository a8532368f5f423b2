#!/bin/sh
# names.sh PRINTER [--update]: docs/exporters/names.md must say what the table says.
set -eu
page=$(cd "$(dirname "$0")/../.." && pwd)/docs/exporters/names.md
if [ "${2:-}" = --update ]; then
    "$1" >"$page"
    exit 0
fi
"$1" | diff -u "$page" -
