#!/bin/sh
# The direction of dependencies: core <- include -> sdk <- plugins, and who may touch what.
# Prints each line that breaks a rule.
set -eu
cd "$(dirname "$0")/.."
broken=0

# forbid WHY PATTERN FILE...: no line of the files matches the extended pattern.
forbid() {
    why=$1
    pattern=$2
    shift 2
    [ $# -gt 0 ] || return 0
    if lines=$(grep -nHE -e "$pattern" "$@"); then
        printf '%s\n%s\n' "layers: $why:" "$lines" | sed '2,$s/^/    /'
        broken=1
    fi
}

# except "NAME..." FILE...: the files whose name is none of the shell patterns.
except() {
    names=$1
    shift
    for file in "$@"; do
        keep=1
        for name in $names; do
            # shellcheck disable=SC2254
            case ${file##*/} in $name) keep=0 ;; esac
        done
        [ "$keep" = 0 ] || echo "$file"
    done
}

include='^[[:space:]]*#[[:space:]]*include[[:space:]]*'
core=$(find core -name '*.[ch]' | sort)
sdk=$(find sdk -name '*.[ch]' -not -path '*/template/*' | sort)
plugins=$(find plugins -name '*.[ch]*' | sort)
abi=$(find include -name '*.h' | sort)

# shellcheck disable=SC2046,SC2086
{
    # What a plugin sees: the ABI, the SDK, its own folder and the language's library.
    forbid 'a plugin includes the core' "$include\"([^\"]*/)?core/" $plugins
    for header in $(find core -name '*.h'); do
        name=${header##*/}
        [ -f "sdk/$name" ] || [ -n "$(find plugins -name "$name")" ] ||
            forbid 'a plugin or the SDK includes the core' "$include\"$name\"" $plugins $sdk
    done
    forbid 'a plugin or the SDK uses more than the ABI and the libraries of C' \
        "$include<(glib|gio|gobject|json-glib|curl|sqlite3|yaml|zlib|cmocka)" $plugins $sdk $abi
    forbid 'a provider or a workload has no socket, no clock and no threads' \
        "$include<(sys/socket|netdb|pthread|threads|sys/epoll|time|sys/time|netinet/[a-z]*)\.h>" \
        $(find plugins/providers plugins/workloads -name '*.[ch]*')
    forbid 'a plugin ends, forks or prints nothing of its own accord' \
        '(^|[^_[:alnum:]])(exit|abort|_exit|fork|system|signal|sigaction|dlopen)[[:space:]]*\(' $plugins
    forbid 'the ABI includes only itself, stddef and stdint' \
        "$include(<([^s]|s[^t]|st[^d]|std[^di]|stdi[^n])|\"[^\"]*/)" $abi

    # The core.
    forbid 'the core includes the SDK' "$include[\"<]([^\">]*/)?sdk/" $(except 'cmd-plugin-check.c' $core)
    forbid 'the core includes a plugin' "$include\"[^\"]*plugins/" $core
    # `csv` is also the format of a file that is imported.
    forbid 'the core names a provider, a workload or an exporter' \
        '"(openai|compat|anthropic|gemini|closed|constant|poisson|burst|csv)"|has_prefix.*"(openai|compat|closed|constant|poisson|burst|csv)' \
        $(except 'cmd-import*.c' $core)
    forbid 'only chrono.c reads a clock' \
        '(clock_gettime|gettimeofday|timespec_get|g_get_monotonic_time|g_get_real_time)[[:space:]]*\(|[^_[:alnum:]]time[[:space:]]*\(NULL' \
        $(except 'chrono.c' $core)
    # calibrate.c asks the mock for its truth, before and after what it measures.
    forbid 'only the transport includes curl' "$include<curl/" \
        $(except 'transport*.[ch] wire-place.c http*.[ch] exporter-http*.[ch] calibrate.c' $core)
    forbid 'only plugin-load.c loads shared objects' \
        '(dlopen|dlsym|dlmopen|g_module_open)[[:space:]]*\(' $(except 'plugin-load.c' $core)
    forbid 'nothing unloads a plugin' '(dlclose|g_module_close)[[:space:]]*\(' $core
    forbid 'sans-I/O modules have no loop, no socket and no file' \
        "$include(<(glib-unix|curl/|sys/socket|sys/epoll|sqlite3|fcntl)|\"(engine|run|runfile|transport|poller|recorder|cmd-))" \
        $(find core -name 'agenda.*' -o -name 'histogram*.[ch]' -o -name 'metric.*' -o -name 'slo.*' \
            -o -name 'tally*.[ch]' -o -name 'timeline.*' -o -name 'verdict.*')
    forbid 'nothing but the commands includes a command' "$include\"(command|cmd-[^\"]*)\.h\"" \
        $(except 'cmd-*.[ch] main.c absent.c' $core)
}

# Headers of the core include each other without a circle.
loops=$(for header in core/*.h; do
    sed -n 's/^#include "\([^"/]*\)".*/\1/p' "$header" | sed "s|^|${header##*/} |"
done | tsort 2>&1 >/dev/null || true)
if [ -n "$loops" ]; then
    printf 'layers: headers include each other in a circle:\n%s\n' "$loops"
    broken=1
fi

exit "$broken"
