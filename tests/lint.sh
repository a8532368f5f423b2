#!/bin/sh
# Style, static analysis and the direction of includes. Argument: a configured build directory.
set -eu
cd "$(dirname "$0")/.."
build=$1

sources=$(git ls-files '*.c' '*.h' | grep -v '^tests/abi/[0-9]' || true)
# shellcheck disable=SC2086
clang-format --dry-run -Werror $sources
sh tests/layers.sh

# Generated headers must be there before the sources can be analysed.
ninja -C "$build" --quiet
git ls-files 'core/*.c' 'sdk/*.c' 'plugins/*.c' | grep -v '^sdk/template/' |
    xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$build" >"$build/clang-tidy.log" 2>&1 || {
    grep -v 'warnings\{0,1\} generated\.$' "$build/clang-tidy.log" >&2
    echo 'lint: clang-tidy found the above' >&2
    exit 1
}
cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j "$(nproc)" \
    --enable=warning,portability --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=varFuncNullUB \
    --suppress=nullPointerOutOfMemory --suppress=ctunullpointerOutOfMemory -Iinclude -Icore -Isdk \
    core sdk/*.c plugins
echo 'lint: fine'
