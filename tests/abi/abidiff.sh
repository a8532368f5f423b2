#!/bin/sh
# abidiff.sh FROZEN.so CURRENT.so GROWN.so BROKEN.so: the current types are those that were
# frozen; growth by the rules passes, and anything else is noticed.
set -eu
suppressions=$(dirname "$0")/abidiff.suppr
command -v abidiff >/dev/null || exit 77

abidiff --suppressions "$suppressions" "$1" "$2"
abidiff --suppressions "$suppressions" "$1" "$3"
if abidiff --suppressions "$suppressions" "$1" "$4" >/dev/null; then
    echo "abidiff does not see a member in front of the others"
    exit 1
fi
