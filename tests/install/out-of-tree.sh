#!/bin/sh
# A vendor's view: installs lens into a directory of its own, makes projects with `lens plugin
# new` in C and C++, builds them against the installed headers, runs their tests and uses
# the result. Usage: out-of-tree.sh SOURCE_DIR
set -eu

source=$1
work=$(mktemp -d)
mock=
trap 'test -z "$mock" || kill "$mock" 2>/dev/null; rm -rf "$work"' EXIT INT TERM

fail() {
    echo "out-of-tree: $*" >&2
    exit 1
}

# A build of its own, since the prefix is part of a program: plain, without tests.
meson setup "$work/build" "$source" --prefix "$work/prefix" -Dtests=false -Dfuzz=false \
    -Dbuildtype=plain >"$work/log" 2>&1 || { cat "$work/log"; fail "cannot configure"; }
meson install -C "$work/build" >"$work/log" 2>&1 || { tail -50 "$work/log"; fail "cannot install"; }
lens=$work/prefix/bin/lens
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name lens-plugin.pc)")
export PKG_CONFIG_PATH
unset LENS_PLUGIN_PATH || true

test "$(pkg-config --variable=abi lens-plugin)" = 1.0 || fail "pkg-config knows no abi"
"$lens" plugin list >/dev/null || fail "the installed program finds no plugins"

# try LANGUAGE EXTENSION KIND: the project builds, its test passes, its plugin loads.
try() {
    name=my-$3-$2
    dir=$work/$name
    "$lens" plugin new "$3" "$name" "$dir" --lang "$1" >/dev/null
    for file in "$name.$2" "test.$2" meson.build README.md; do
        test -s "$dir/$file" || fail "$name: $file is missing"
    done
    meson setup "$dir/build" "$dir" --werror >"$work/log" 2>&1 &&
        meson test -C "$dir/build" >>"$work/log" 2>&1 || {
        cat "$work/log" "$dir/build/meson-logs/testlog.txt" 2>/dev/null
        fail "$name does not build and pass"
    }
    grep -q '^Ok: *2' "$work/log" || fail "$name: two tests should have run"
    "$lens" --plugin-dir "$dir/build" plugin info "$name" >/dev/null ||
        fail "$name is not loaded by --plugin-dir"
}
# Every provider that ships is one that a vendor could have made: built of its sources against what is installed.
meson introspect --targets "$work/build" |
    jq -r '.[] | select(.type == "shared module") | .name as $name
        | [.target_sources[]? | select(.language == "c") | .sources[]]
        | select(any(contains("/plugins/providers/"))) | "\($name) \(join(" "))"' >"$work/providers"
test "$(wc -l <"$work/providers")" -ge 9 || fail "not all providers were found"
while read -r name sources; do
    # shellcheck disable=SC2046,SC2086
    cc -std=gnu17 -D_GNU_SOURCE -O1 -shared -fPIC -fvisibility=hidden -Werror \
        -I"$work/prefix/include/lens" -I"$work/prefix/include/lens/sdk" -o "$work/$name.so" $sources \
        $(pkg-config --cflags --libs --static lens-sdk-auth) -lm 2>"$work/log" || {
        cat "$work/log"
        fail "provider $name does not build out of the tree"
    }
    "$lens" plugin check "$work/$name.so" >"$work/log" || {
        grep -v '^ok' "$work/log"
        fail "provider $name, built out of the tree, does not pass plugin check"
    }
done <"$work/providers"

for kind in provider workload exporter; do
    try c c "$kind"
    try c++ cc "$kind"
done

lines=$(wc -l <"$work/my-provider-c/my-provider-c.c")
test "$lines" -le 150 || fail "the provider skeleton has $lines lines, more than 150"

# The skeleton streams from its own mock; workload and exporter work beside it.
for ext in c cc; do
    name=my-provider-$ext
    mkfifo "$work/$ext.fifo"
    "$lens" --plugin-dir "$work/$name/build" mock --provider "$name" --port 0 \
        --ttft 5ms --itl 1ms --tokens 8 >"$work/$ext.fifo" 2>&1 &
    mock=$!
    url=
    while read -r line; do
        url=$(echo "$line" | grep -o 'http://[0-9.:]*' || true)
        test -z "$url" || break
    done <"$work/$ext.fifo"
    test -n "$url" || fail "$name: the mock names no URL"
    "$lens" --plugin-dir "$work/$name/build" --plugin-dir "$work/my-workload-$ext/build" \
        --plugin-dir "$work/my-exporter-$ext/build" run --provider "$name:url=$url" -m any \
        --workload "my-workload-$ext:rate=200" -n 20 --quiet -o "$work/$ext.lens" \
        --export "json:path=$work/$ext.json" \
        --export "my-exporter-$ext:path=$work/$ext.txt" >/dev/null ||
        fail "$name: the run failed"
    kill "$mock"
    wait "$mock" 2>/dev/null || true
    mock=
    grep -q '"ok" *: *20' "$work/$ext.json" || fail "$name: not all 20 requests are ok"
    grep -q '"output" *: *160' "$work/$ext.json" || fail "$name: 160 tokens were expected"
    test "$(wc -l <"$work/$ext.txt")" = 20 || fail "my-exporter-$ext did not write 20 lines"
done
echo "out-of-tree: six projects and $(wc -l <"$work/providers") providers, all well"
