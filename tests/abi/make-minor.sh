#!/bin/sh
# make-minor.sh grow|break HEADER: prints HEADER as a made-up ABI 1.1 would have it, or, with
# `break`, as no minor may have it.
set -eu
mode=$1
header=$2

# append STRUCT LINE: LINE as the last member of STRUCT; prepend: as the first one.
append() {
    awk -v name="struct $1 {" -v line="    $2" \
        '$0 == name { inside = 1 } inside && $0 == "};" { print line; inside = 0 } { print }'
}
prepend() {
    awk -v name="struct $1 {" -v line="    $2" '{ print } $0 == name { print line }'
}

case "$mode:$(basename "$header")" in
grow:abi.h) sed 's/^#define LENS_ABI_MINOR 0$/#define LENS_ABI_MINOR 1/' "$header" ;;
grow:host.h) append lens_host 'int32_t (*hello)(const struct lens_host *);' <"$header" ;;
grow:provider.h) append lens_provider 'lens_status (*rank)(void *self);' <"$header" ;;
break:provider.h) prepend lens_event 'uint64_t intruder;' <"$header" ;;
*) cat "$header" ;;
esac
