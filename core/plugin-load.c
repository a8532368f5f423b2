#include "plugin-load.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

bool
path_check_private(const char *path, const char *what, GError **error)
{
    const char *advice = "take that right away, or use --allow-insecure-plugins";
    struct stat st;

    if (stat(path, &st) != 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN, "%s: %s", path,
                    g_strerror(errno));
        return false;
    }
    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN,
                    "%s belongs to user %u, neither to root nor to you (%u): %s", what,
                    (unsigned)st.st_uid, (unsigned)geteuid(), advice);
        return false;
    }
    if (st.st_mode & S_IWOTH) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN,
                    "%s may be written by everybody (mode %04o): %s", what,
                    (unsigned)st.st_mode & 07777, advice);
        return false;
    }
    if ((st.st_mode & S_IWGRP) && st.st_gid != getegid()) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN,
                    "%s may be written by group %u (mode %04o), yours is %u: %s", what,
                    (unsigned)st.st_gid, (unsigned)st.st_mode & 07777,
                    (unsigned)getegid(), advice);
        return false;
    }
    return true;
}

/* The loader begins its words with the path, which the caller says already. */
static const char *
without_path(const char *message, const char *path)
{
    const size_t size = strlen(path);

    return strncmp(message, path, size) == 0 && strncmp(message + size, ": ", 2) == 0
               ? message + size + 2
               : message;
}

const struct lens_plugin *
plugin_load(const char *path, GError **error)
{
    const struct lens_plugin *first;
    lens_plugin_entry_fn entry;
    void *handle;

    if (!elf_check(path, error))
        return NULL;
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN, "cannot be loaded: %s",
                    without_path(dlerror(), path));
        return NULL;
    }
    *(void **)&entry = dlsym(handle, LENS_PLUGIN_ENTRY);
    if (entry == NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN,
                    "not a plugin: no entry symbol %s", LENS_PLUGIN_ENTRY);
        return NULL;
    }
    first = entry(LENS_ABI);
    if (first == NULL)
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN,
                    "%s returned NULL: the plugin does not serve plugin ABI %d.%d",
                    LENS_PLUGIN_ENTRY, LENS_ABI_MAJOR, LENS_ABI_MINOR);
    return first;
}

/* The ops, as long as ours, over zeroes. */
static void
copy_ops(void *to, size_t size, const void *from)
{
    uint32_t theirs;

    memcpy(&theirs, from, sizeof theirs);
    memcpy(to, from, MIN(theirs, size));
}

static plugin *
copy_plugin(const struct lens_plugin *d, const char *path)
{
    plugin *p = g_new0(plugin, 1);

    p->kind = d->kind;
    p->name = d->name;
    p->version = d->version;
    p->summary = d->summary;
    p->path = g_strdup(path);
    p->abi = d->abi;
    p->abi_needs = d->abi_needs;
    switch (d->kind) {
    case LENS_KIND_OF_PROVIDER:
        copy_ops(&p->ops.provider, sizeof p->ops.provider, d->ops);
        if (p->ops.provider.mock != NULL)
            copy_ops(&p->mock, sizeof p->mock, p->ops.provider.mock);
        break;
    case LENS_KIND_OF_WORKLOAD:
        copy_ops(&p->ops.workload, sizeof p->ops.workload, d->ops);
        break;
    default:
        copy_ops(&p->ops.exporter, sizeof p->ops.exporter, d->ops);
    }
    return p;
}

const plugin *
plugin_adopt(const struct lens_plugin *d, const char *path)
{
    static GMutex lock;
    static GHashTable *adopted; /* descriptor to plugin */
    plugin *p;

    g_mutex_lock(&lock);
    if (adopted == NULL)
        adopted = g_hash_table_new(NULL, NULL);
    p = g_hash_table_lookup(adopted, d);
    if (p == NULL) {
        p = copy_plugin(d, path);
        g_hash_table_insert(adopted, (void *)d, p);
    }
    g_mutex_unlock(&lock);
    return p;
}
