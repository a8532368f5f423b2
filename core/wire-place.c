/* What a URL means to the wire, kept from request to request, and which are left to
 * libcurl. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "wire-private.h"

/* URLs of one target hardly ever differ. */
enum { PLACES_MOST = 256 };

void
wire_place_free(void *data)
{
    wire_place *place = data;

    g_free(place->target);
    g_free(place->host);
    g_free(place);
}

void
wire_origin_free(void *data)
{
    wire_origin *o = data;

    g_free(o->host);
    g_ptr_array_unref(o->waiting);
    g_ptr_array_unref(o->idle);
    g_free(o);
}

static char *
part_of(CURLU *url, CURLUPart what, unsigned flags)
{
    char *part = NULL, *copy;

    if (curl_url_get(url, what, &part, flags) != CURLUE_OK)
        return NULL;
    copy = g_strdup(part);
    curl_free(part);
    return copy;
}

static bool
is_plain_http(CURLU *url)
{
    static const CURLUPart NOT_OURS[] = { CURLUPART_USER, CURLUPART_PASSWORD,
                                          CURLUPART_ZONEID };
    g_autofree char *scheme = part_of(url, CURLUPART_SCHEME, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(NOT_OURS); i++) {
        g_autofree char *part = part_of(url, NOT_OURS[i], 0);

        if (part != NULL)
            return false;
    }
    return g_strcmp0(scheme, "http") == 0;
}

/* ---- proxies of the environment ---- */

static bool
has_text(const char *name)
{
    const char *text = g_getenv(name);

    return text != NULL && *text != '\0';
}

/* As libcurl reads the variable: names with all below them, addresses, or "*" alone. What
 * it understands beyond that (networks) may be left to it. */
static bool
is_excluded(const char *host)
{
    const char *list = g_getenv(has_text("no_proxy") ? "no_proxy" : "NO_PROXY");
    g_auto(GStrv) names = g_strsplit_set(list != NULL ? list : "", ", ", -1);
    const bool is_number = g_hostname_is_ip_address(host);

    if (g_strcmp0(list, "*") == 0)
        return true;
    for (char **name = names; *name != NULL; name++) {
        const char *tail = **name == '.' && !is_number ? *name + 1 : *name;
        const size_t size = strlen(tail), host_size = strlen(host);

        if (is_number && size != host_size)
            continue;
        if (size > 0 && size <= host_size &&
            g_ascii_strcasecmp(host + host_size - size, tail) == 0 &&
            (size == host_size || host[host_size - size - 1] == '.'))
            return true;
    }
    return false;
}

static bool
goes_by_proxy(const wire *w, const char *host)
{
    return !w->base.target->is_mock &&
           (has_text("http_proxy") || has_text("all_proxy") || has_text("ALL_PROXY")) &&
           !is_excluded(host);
}

/* ---- places ---- */

static wire_origin *
origin_of(wire *w, const char *host, const char *port)
{
    g_autofree char *key = g_strdup_printf("%s:%s", host, port);
    wire_origin *o = g_hash_table_lookup(w->origins, key);
    const size_t size = strlen(host);

    if (o != NULL)
        return o;
    o = g_new0(wire_origin, 1);
    o->wire = w;
    o->host = host[0] == '[' ? g_strndup(host + 1, size - 2) : g_strdup(host);
    o->port = (uint16_t)strtoul(port, NULL, 10);
    o->resolved_ns = -1;
    o->waiting = g_ptr_array_new();
    o->idle = g_ptr_array_new();
    wire_resolve_at_once(o);
    g_hash_table_insert(w->origins, g_steal_pointer(&key), o);
    return o;
}

static wire_place *
place_new(wire *w, CURLU *url)
{
    g_autofree char *host = part_of(url, CURLUPART_HOST, 0);
    g_autofree char *port = part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    g_autofree char *path = part_of(url, CURLUPART_PATH, 0);
    g_autofree char *query = part_of(url, CURLUPART_QUERY, 0);
    wire_place *place;

    /* Names that are not ASCII need IDN, which libcurl knows. */
    if (host == NULL || port == NULL || !g_str_is_ascii(host) || goes_by_proxy(w, host))
        return NULL;
    place = g_new0(wire_place, 1);
    place->origin = origin_of(w, host, port);
    place->target = query != NULL ? g_strconcat(path, "?", query, NULL)
                                  : g_strdup(path != NULL ? path : "/");
    place->host =
        strcmp(port, "80") == 0 ? g_strdup(host) : g_strconcat(host, ":", port, NULL);
    return place;
}

static wire_place *
parse(wire *w, const char *text)
{
    CURLU *url = curl_url();
    wire_place *place = NULL;

    if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK && is_plain_http(url))
        place = place_new(w, url);
    curl_url_cleanup(url);
    return place;
}

wire_place *
wire_place_of(wire *w, const char *url)
{
    wire_place *place;

    if (w->last_url != NULL && strcmp(url, w->last_url) == 0)
        return w->last_place;
    place = g_hash_table_lookup(w->places, url);
    if (place == NULL) {
        place = parse(w, url);
        if (place == NULL)
            return NULL;
        if (g_hash_table_size(w->places) >= PLACES_MOST)
            g_hash_table_remove_all(w->places);
        g_hash_table_insert(w->places, g_strdup(url), place);
    }
    g_free(w->last_url);
    w->last_url = g_strdup(url);
    w->last_place = place;
    return place;
}
