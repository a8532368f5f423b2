/* abi: versions, status codes and the few types every other header uses.
 *
 * Rules of growth (all headers of this folder):
 *  - A minor version only appends: members at the end of a struct, new enum values, new
 * host services. Nothing is removed, reordered or given a new meaning. A major version is
 * a break.
 *  - Every struct that crosses starts with `struct_size`, set by whoever allocates it.
 * Structs that travel in arrays carry no size; the element size stands beside the pointer
 * and is the stride.
 *  - A reader touches no member beyond the writer's `struct_size` (LENS_HAS); it skips
 * kinds, codes and flags that it does not know. A writer leaves unknown flags 0.
 *  - Only fixed-width integers, double, pointers and size_t (for byte counts) cross.
 *
 * Ownership: what is passed in is borrowed for the call; what is handed out is copied
 * before the call returns. Nobody frees the other side's memory.
 *
 * Threads: an instance is entered by one thread at a time and never re-entered; instances
 * may run in parallel, so a plugin has no mutable globals.
 *
 * Times are int64 nanoseconds, tokens int64 with -1 for unknown, ids uint64. */
#ifndef LENS_ABI_H
#define LENS_ABI_H

#include <stddef.h>
#include <stdint.h>

#define LENS_MAGIC UINT32_C(0x534e454c) /* "LENS" */
#define LENS_ABI_MAJOR 1
#define LENS_ABI_MINOR 0
#define LENS_ABI_VERSION(major, minor) (((uint32_t)(major) << 16) | (uint32_t)(minor))
#define LENS_ABI LENS_ABI_VERSION(LENS_ABI_MAJOR, LENS_ABI_MINOR)

/* Lowest minor of the host that this plugin can live with. Lower it only together with
 * LENS_HAS guards around everything newer. */
#ifndef LENS_ABI_NEEDS
#define LENS_ABI_NEEDS LENS_ABI_MINOR
#endif

/* Whether the struct that `s` points to holds `member` (of type `type`). */
#define LENS_HAS(s, type, member) \
    ((s)->struct_size >= offsetof(type, member) + sizeof(((type *)0)->member))

#if defined(__GNUC__)
#define LENS_EXPORT __attribute__((visibility("default")))
#else
#define LENS_EXPORT
#endif

/* Result of an operation: < 0 failed, 0 ok, > 0 ok with news. */
typedef int32_t lens_status;
enum {
    LENS_OK = 0,
    LENS_DONE = 1,       /* nothing more will come */
    LENS_WAIT = 2,       /* ask again after the next event */
    LENS_WAIT_UNTIL = 3, /* ask again at the time given, or after the next event */
    LENS_E_FAILED = -1,
    LENS_E_CONFIG = -2, /* the options cannot work; `open` only */
    LENS_E_UNSUPPORTED = -3,
    LENS_E_NOMEM = -4,
    LENS_E_PROTOCOL = -5, /* the other side broke its protocol */
    LENS_E_IO = -6,
    LENS_E_TOO_LARGE = -7 /* a limit of the host was reached */
};

/* Bytes that belong to somebody else; not terminated, may hold NUL. */
struct lens_bytes {
    const char *data;
    size_t size;
};

/* A name and a value, for instance an HTTP header. */
struct lens_pair {
    struct lens_bytes name;
    struct lens_bytes value;
};

#endif
