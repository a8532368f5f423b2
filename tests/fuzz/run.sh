#!/bin/sh
# Runs every fuzz target of a build for some seconds, as many at once as there are
# processors, each from its seeds: run.sh BUILD_DIR [SECONDS]. What they learn and what
# they find stays in the build directory; the seeds are only read.
set -eu

build=$(cd "$1" && pwd)
seconds=${2:-60}
seeds=$(cd "$(dirname "$0")" && pwd)/corpus
work=$build/fuzz-corpus

# run_one NAME: one line when nothing is found, else the end of its log and the input.
run_one() {
    log=$work/$1.log
    artifacts=$work/$1.found
    rm -rf "$artifacts"
    mkdir -p "$work/$1" "$artifacts"
    set -- "$1" "$work/$1" "$seeds/$1"
    test -d "$3" || { echo "fuzz-$1: no seeds in $3" >&2; return 1; }
    if "$build/tests/fuzz/fuzz-$1" -max_total_time="$seconds" -max_len=2048 -timeout=25 \
        -rss_limit_mb=2048 -artifact_prefix="$artifacts/" -verbosity=1 "$2" "$3" \
        >"$log" 2>&1; then
        echo "fuzz-$1: nothing found, $(sed -n 's/^Done \(.*\) runs in \(.*\) second.*/\1 runs in \2 s/p' "$log")"
        return 0
    fi
    tail -n 40 "$log" | cut -c 1-200 >&2
    echo "fuzz-$1: failed, see $log; reproduce:" >&2
    for input in "$artifacts"/*; do
        echo "  $build/tests/fuzz/fuzz-$1 $input" >&2
    done
    return 1
}

if [ -n "${3:-}" ]; then
    run_one "$3"
    exit
fi
for target in "$build"/tests/fuzz/fuzz-*; do
    test ! -f "$target" || echo "${target##*/fuzz-}"
done | xargs -P "$(nproc)" -n 1 sh "$0" "$build" "$seconds"
