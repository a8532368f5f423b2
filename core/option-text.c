/* The textual forms of option.h: URLs and JSON. */
#include <string.h>

#include "error.h"
#include "json-check.h"
#include "option.h"
#include "plain-text.h"

static bool
refuse_url(GError **error, const char *why, const char *text)
{
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "%s, got `%s`", why, text);
    return false;
}

/* "user:password@" before the path; also where a scheme is missing. */
static bool
has_user_info(const char *text)
{
    const char *authority = strstr(text, "://");
    const char *at = strchr(text, '@');

    authority = authority == NULL ? text : authority + 3;
    return at != NULL && at >= authority &&
           (size_t)(at - authority) < strcspn(authority, "/?#");
}

static bool
has_space(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= 0x20 || *text == 0x7f)
            return true;
    return false;
}

bool
check_url(const char *text, GError **error)
{
    g_autofree char *scheme = NULL, *host = NULL, *fragment = NULL;
    int port = -1;

    if (has_user_info(text)) {
        g_set_error_literal(error, LENS_ERROR, LENS_ERROR_USAGE,
                            "a URL with user info (user:password@host) is refused, since "
                            "it would be shown; leave it out and name the secret by its "
                            "own option (api_key, token, password) as env:VAR or "
                            "file:PATH");
        return false;
    }
    if (has_space(text))
        return refuse_url(error, "a URL has no spaces or control characters", text);
    if (g_ascii_strncasecmp(text, "http://", 7) != 0 &&
        g_ascii_strncasecmp(text, "https://", 8) != 0)
        return refuse_url(error, "expected a URL that begins with http:// or https://",
                          text);
    if (!g_uri_split(text, G_URI_FLAGS_NONE, &scheme, NULL, &host, &port, NULL, NULL,
                     &fragment, NULL) ||
        host == NULL || *host == '\0' || port == 0)
        return refuse_url(error, "expected a URL like https://host:port/path", text);
    if (fragment != NULL)
        return refuse_url(error, "a URL has no fragment here; leave out `#` and the rest",
                          text);
    return true;
}

bool
check_json(const char *text, GError **error)
{
    size_t at;
    const char *expected = json_check(text, &at);

    if (expected == NULL)
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "expected a JSON value, got `%.*s%s`: at byte %zu %s was expected",
                plain_text_cut(text, 80), text, strlen(text) > 80 ? "..." : "", at,
                expected);
    return false;
}
