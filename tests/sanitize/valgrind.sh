#!/bin/sh
# Memcheck over each plugin through `lens plugin check`, and over a run against the built-in
# mock: valgrind.sh BUILD_DIR. Fails on the first error or leak, with valgrind's report.
set -eu

build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# check LABEL ARGUMENTS...: lens with these must end well under memcheck.
check() {
    label=$1
    shift
    if (cd "$work" && valgrind -q --leak-check=full --show-leak-kinds=definite,indirect \
        --errors-for-leak-kinds=definite,indirect --error-exitcode=99 \
        --suppressions="$here/valgrind.supp" --log-file="$work/report.%p" \
        "$build/lens" "$@" >"$work/out" 2>&1); then
        echo "valgrind: $label: fine"
        rm -f "$work"/report.*
        return
    fi
    tail -n 20 "$work/out" >&2
    cat "$work"/report.* >&2
    echo "valgrind: $label: failed" >&2
    exit 1
}

for plugin in "$build"/plugins/*.so; do
    name=$(basename "$plugin" .so)
    case $name in
    openai)
        for api in completions compat; do
            check "openai, $api" plugin check "$plugin" --case "$here/../wire/$api.case"
        done
        ;;
    *) check "$name" plugin check "$plugin" ;;
    esac
done
check run run -c 4 -n 40 --threads 2 --quiet -o run.lens --export json:path=out.json \
    --export csv:path=out.csv
