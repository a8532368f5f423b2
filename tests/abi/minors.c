/* minors MODULE load|refuse: a host of the minor that this program is built with meets a
 * module of another, or the same, minor (conformance.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "registry.h"

static void
expect(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "host %d.%d: %s\n", LENS_ABI_MAJOR, LENS_ABI_MINOR, what);
    exit(1);
}

#if LENS_ABI_MINOR >= 1
static int32_t
hello(const struct lens_host *host)
{
    (void)host;
    return 11;
}
#endif

/* The newer operation is there when the plugin is new, and else NULL. */
static void
check_operations(const plugin *p, bool plugin_is_new)
{
    expect(p->ops.provider.classify != NULL, "an operation of 1.0 is missing");
    expect(p->ops.provider.mock == NULL, "there is a mock");
#if LENS_ABI_MINOR >= 1
    expect((p->ops.provider.rank != NULL) == plugin_is_new,
           "rank is not what it should be");
#endif
}

/* The newer service is called when both sides know it. */
static void
check_service(const plugin *p, bool plugin_is_new)
{
    g_autoptr(option_values) options =
        option_values_new(&p->ops.provider.options, "provider conformance");
    struct lens_request request;
    const struct lens_ask ask = { .struct_size = sizeof ask };
    const bool expected = LENS_ABI_MINOR >= 1 && plugin_is_new;
    instance *i;

    expect(option_values_finish(options, true, NULL), "the options are not taken");
    i = provider_open(p, 0, options, 1, NULL);
    expect(i != NULL, "the provider does not open");
#if LENS_ABI_MINOR >= 1
    i->host.hello = hello;
#endif
    lens_request_init(&request);
    expect(p->ops.provider.describe(i->self, &ask, &request) == LENS_OK, "no request");
    expect(strcmp(g_ptr_array_index(request.headers, 0),
                  expected ? "X-Hello: yes" : "X-Hello: no") == 0,
           "the service was not used as it should be");
    lens_request_clear(&request);
    instance_close(i);
}

static void
check_refusal(const GError *error)
{
    expect(error != NULL, "it was loaded");
    expect(strstr(error->message, "1.1") != NULL && strstr(error->message, "1.0") != NULL,
           error->message);
}

int
main(int argc, char **argv)
{
    g_autoptr(registry) r = registry_new_empty(true);
    g_autoptr(GError) error = NULL;
    const plugin *p;

    expect(argc == 3, "usage: minors MODULE load|refuse");
    if (!registry_load_file(r, argv[1], &error)) {
        expect(strcmp(argv[2], "refuse") == 0, error->message);
        check_refusal(error);
        expect(registry_plugins(r)->len == 0, "something was loaded");
        return 0;
    }
    expect(strcmp(argv[2], "load") == 0, "it was loaded");
    expect(registry_plugins(r)->len == 3, "not all of the chain was loaded");
    p = registry_find(r, LENS_KIND_OF_PROVIDER, "conformance", &error);
    expect(p != NULL, "there is no provider");
    check_operations(p, (p->abi & 0xffff) >= 1);
    check_service(p, (p->abi & 0xffff) >= 1);
    return 0;
}
