/* Where a target's requests really go: a provider may make its URL of a region, a
 * resource or a project. */
#include "side-call-private.h"

static char *
origin_of(const char *text)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);

    if (uri == NULL || g_uri_get_host(uri) == NULL)
        return NULL;
    return g_uri_join(G_URI_FLAGS_NONE, g_uri_get_scheme(uri), NULL, g_uri_get_host(uri),
                      g_uri_get_port(uri), "", NULL, NULL);
}

/* What cannot be described before its secrets are there keeps its URL. */
static void
settle(plan_target *t, registry *plugins)
{
    side_call *s = side_call_open(t, plugins, 0, NULL);
    struct lens_request request;
    g_autofree char *asked = NULL, *shown = NULL;

    if (s == NULL)
        return;
    lens_request_init(&request);
    if (side_call_describe_test(s, &request) == LENS_OK)
        asked = origin_of(request.url.data);
    shown = t->url != NULL ? origin_of(t->url) : NULL;
    if (asked != NULL && g_strcmp0(asked, shown) != 0) {
        g_free(t->url);
        t->url = g_steal_pointer(&asked);
    }
    lens_request_clear(&request);
    side_call_close(s);
}

void
side_call_settle_urls(plan *p, registry *plugins)
{
    for (unsigned i = 0; i < p->targets->len; i++) {
        plan_target *t = p->targets->pdata[i];

        if (!t->is_mock && t->given_url == NULL)
            settle(t, plugins);
    }
}
