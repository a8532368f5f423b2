/* plugin: the descriptor and the one exported symbol. Include this file; it brings all
 * others.
 *
 * `lens_plugin_entry` has no side effects and returns const data that lives for ever (a
 * plugin is never unloaded). NULL: this host cannot be served. One shared object may
 * carry several plugins: `next` chains them. */
#ifndef LENS_PLUGIN_H
#define LENS_PLUGIN_H

#include "abi.h"
#include "exporter.h"
#include "host.h"
#include "mock.h"
#include "option.h"
#include "provider.h"
#include "workload.h"

enum {
    LENS_KIND_OF_PROVIDER = 1,
    LENS_KIND_OF_WORKLOAD = 2,
    LENS_KIND_OF_EXPORTER = 3
    /* reserved: 4 dataset, 5 tokenizer, 6 transform, 7 judge, 8 controller */
};

struct lens_plugin {
    uint32_t magic, abi, abi_needs,
        struct_size; /* this prefix never changes, in any major */
    uint32_t kind;   /* LENS_KIND_OF_*; ops is of that type */
    uint32_t flags;
    const char *name;    /* [a-z][a-z0-9_-]*, unique within its kind */
    const char *version; /* of the plugin */
    const char *summary; /* one line of help */
    const void *ops;     /* struct lens_provider, lens_workload or lens_exporter */
    const struct lens_plugin *next;
};

#define LENS_PLUGIN_HEAD                                                    \
    LENS_MAGIC, LENS_ABI, LENS_ABI_VERSION(LENS_ABI_MAJOR, LENS_ABI_NEEDS), \
        (uint32_t)sizeof(struct lens_plugin)

#define LENS_PLUGIN_ENTRY "lens_plugin_entry"
typedef const struct lens_plugin *(*lens_plugin_entry_fn)(uint32_t host_abi);

#ifdef __cplusplus
extern "C"
#endif
    LENS_EXPORT const struct lens_plugin *
    lens_plugin_entry(uint32_t host_abi);

#endif
