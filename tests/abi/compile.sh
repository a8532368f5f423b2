#!/bin/sh
# compile.sh INCLUDE: the headers compile without a word, each alone and all together, as C and
# C++ of several years, with gcc and clang, and hold no hidden padding.
set -eu
include=$1
flags='-Wall -Wextra -pedantic -Wpadded -Wshadow -Werror -fsyntax-only'
tried=0

for compiler in gcc:c99 gcc:c11 gcc:c17 clang:c99 clang:c11 clang:c17 \
    g++:c++17 clang++:c++17; do
    command -v "${compiler%%:*}" >/dev/null || continue
    language=c
    case $compiler in *++:*) language=c++ ;; esac
    for header in "$include"/lens/*.h; do
        echo "#include <lens/$(basename "$header")>" |
            ${compiler%%:*} "-std=${compiler##*:}" $flags -I "$include" -x $language - || {
            echo "$compiler does not take $header"
            exit 1
        }
    done
    tried=$((tried + 1))
done
echo "$tried compilers and standards"
[ "$tried" -gt 0 ] || exit 77
