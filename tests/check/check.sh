#!/bin/sh
# `lens plugin check` says yes to a good plugin and finds the fault of each bad one.
# Usage: check.sh LENS CASES GOOD.so FAULTY.so...
set -eu

lens=$1
cases=$2
shift 2
failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# expect FILE EXIT_CODE TEXT: the report ends so and has a line with TEXT.
expect() {
    code=0
    "$lens" --allow-insecure-plugins plugin check "$1" --case "$cases" >"$out" 2>&1 || code=$?
    if [ "$code" != "$2" ] || ! grep -q -- "$3" "$out"; then
        echo "$1: exit code $code, expected $2 and: $3" >&2
        grep -v '^ok' "$out" >&2 || true
        failed=1
    fi
}

for file; do
    case $file in
    *faulty-none.so) expect "$file" 0 ' 0 failed' ;;
    *faulty-leak.so) expect "$file" 1 'FAILED.*leaks of one: each cycle loses 32 bytes' ;;
    *faulty-grow_leak.so) expect "$file" 1 'FAILED.*life cycle.*keeps 100 bytes of host->grow' ;;
    *faulty-split.so) expect "$file" 1 'FAILED.*every split of one' ;;
    *faulty-silent.so) expect "$file" 1 'FAILED.*classify returns -1 without saying why' ;;
    *faulty-crash.so) expect "$file" 1 'FAILED.*garbage instead of one: crashed' ;;
    *faulty-hides.so) expect "$file" 1 'FAILED.*describe returns 0 although req_line failed' ;;
    *faulty-swallows.so) expect "$file" 1 'FAILED.*garbage.*taken for a complete answer' ;;
    *faulty-stale.so) expect "$file" 1 'FAILED.*stream_reset' ;;
    *) echo "$file: what should be wrong with it?" >&2; failed=1 ;;
    esac
done
expect /nonexistent.so 2 'cannot read it'
exit $failed
