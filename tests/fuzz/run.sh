#!/bin/sh
# Runs every fuzz target of a build for some seconds, from its seeds, and keeps what it
# finds: run.sh BUILD_DIR [SECONDS]. Ends at the first target that fails.
set -eu

build=$(cd "$1" && pwd)
seconds=${2:-60}
seeds=$(cd "$(dirname "$0")" && pwd)/corpus
work=$build/fuzz-corpus

for target in "$build"/tests/fuzz/fuzz-*; do
    name=${target##*/fuzz-}
    case $name in *.p) continue ;; esac
    mkdir -p "$work/$name"
    set -- "$work/$name"
    test ! -d "$seeds/$name" || set -- "$@" "$seeds/$name"
    if "$target" -max_total_time="$seconds" -max_len=2048 -timeout=25 -rss_limit_mb=4096 \
        -artifact_prefix="$work/$name-" -print_final_stats=0 -verbosity=0 "$@" \
        >"$work/$name.log" 2>&1; then
        echo "fuzz-$name: nothing found in $seconds s"
    else
        tail -40 "$work/$name.log"
        echo "fuzz-$name: failed; the input is $work/$name-*" >&2
        exit 1
    fi
done
