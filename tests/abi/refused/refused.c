/* What must be refused, one reason a module: built with one of the names below defined.
 */
#include <stddef.h>

#include <lens/plugin.h>

#ifdef MISSING_LIBRARY
extern int gone(void);
#endif

static lens_status
workload_open(const struct lens_host *host, const struct lens_workload_args *args,
              void **ret_self)
{
    (void)host;
    (void)args;
#ifdef MISSING_LIBRARY
    gone();
#endif
    *ret_self = NULL;
    return LENS_OK;
}

static void
workload_close(void *self)
{
    (void)self;
}

static lens_status
workload_next(void *self, int64_t now_ns, struct lens_arrival *arrival)
{
    (void)self;
    (void)now_ns;
    (void)arrival;
    return LENS_DONE;
}

static const struct lens_workload workload = {
    .struct_size = sizeof(struct lens_workload),
    .flags = LENS_WORKLOAD_OPEN,
    .open = workload_open,
    .close = workload_close,
#ifndef NO_OPERATION
    .next = workload_next,
#endif
};

/* `refused` chains a good plugin, so that the reason of one does not hide the others. */
static const struct lens_plugin behind = {
    .magic = LENS_MAGIC,
    .abi = LENS_ABI,
    .abi_needs = LENS_ABI,
    .struct_size = sizeof(struct lens_plugin),
    .kind = LENS_KIND_OF_WORKLOAD,
    .name = "behind",
    .version = "1",
    .summary = "good",
    .ops = &workload,
};

static const struct lens_plugin refused = {
    .magic = LENS_MAGIC,
    .abi = LENS_ABI,
    .abi_needs = LENS_ABI,
    .struct_size = sizeof(struct lens_plugin),
    .kind = LENS_KIND_OF_WORKLOAD,
    .name = "refused",
    .version = "1",
    .summary = "bad",
    .ops = &workload,
#ifdef BAD_MAGIC
    .magic = 0x12345678,
#endif
#ifdef OTHER_MAJOR
    .abi = LENS_ABI_VERSION(2, 0),
#endif
#ifdef NEWER_MINOR
    .abi_needs = LENS_ABI_VERSION(1, 99),
#endif
#ifdef TOO_SMALL
    .struct_size = 24,
#endif
#ifdef UNKNOWN_KIND
    .kind = 4,
    .next = &behind,
#endif
#ifdef BAD_NAME
    .name = "Upper Case",
#endif
#ifdef ENDLESS
    .name = "endless",
    .next = &refused,
#endif
};

#ifndef NO_ENTRY
const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    (void)behind;
#ifdef NULL_ENTRY
    return NULL;
#else
    return &refused;
#endif
}
#endif
