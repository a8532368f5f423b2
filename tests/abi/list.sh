#!/bin/sh
# list.sh LENS REFUSED_DIR: `lens plugin list` and `info` keep to 80 columns and name each
# refused file with its reason; bad plugins change neither the exit code nor the good ones.
set -eu
lens=$1
refused=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "$1"
    cat "$work/list"
    exit 1
}

"$lens" --plugin-dir "$refused" --allow-insecure-plugins plugin list >"$work/list"
[ -z "$(awk 'length > 80 && !/\//' "$work/list")" ] || fail 'wider than 80 columns'
for name in "$refused"/*.so; do
    grep -qF "$(basename "$name")" "$work/list" || fail "$name is not named"
done
for word in 'KIND' 'provider' 'workload' 'exporter' 'refused' 'magic is 0x12345678' 'abi is 2.0' \
    'abi_needs is 1.99' 'no entry symbol'; do
    grep -qF "$word" "$work/list" || fail "it does not say: $word"
done

"$lens" --plugin-dir "$refused" --allow-insecure-plugins plugin list --json |
    python3 -c '
import json, sys
seen = json.load(sys.stdin)
assert {"provider", "workload", "exporter"} <= {p["kind"] for p in seen["plugins"]}
assert all(p["name"] and p["file"] and p["abi"] for p in seen["plugins"])
assert any("magic" in r["reason"] for r in seen["refused"])'

for name in $("$lens" plugin list --json |
    python3 -c 'import json, sys; [print(p["name"]) for p in json.load(sys.stdin)["plugins"]]'); do
    "$lens" plugin info "$name" >"$work/list"
    [ -z "$(awk 'length > 80 && !/\//' "$work/list")" ] || fail 'wider than 80 columns'
    "$lens" plugin info "$name" --json | python3 -c '
import json, sys
for plugin in json.load(sys.stdin)["plugins"]:
    for option in plugin["options"]:
        assert option["name"] and option["type"] and option["help"], option'
done

code=0
"$lens" plugin info no-such-plugin >"$work/list" 2>&1 || code=$?
[ "$code" = 2 ] || fail "an unknown name ends with $code"
