/* What a user might write by mistake where a secret, or a doubt, would come in. */
#include <string.h>

#include "error.h"
#include "plain-text.h"
#include "plan-private.h"

static bool
is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!g_ascii_isalnum(text[i]) && strchr("!#$%&'*+-.^_`|~", text[i]) == NULL)
            return false;
    return size > 0;
}

/* Header names that usually carry a credential, whoever the vendor is. */
static bool
carries_credential(const char *name)
{
    static const char *const parts[] = { "authorization", "api-key",   "apikey",
                                         "api_key",       "cookie",    "secret",
                                         "password",      "credential" };
    static const char *const ends[] = { "-token", "_token", "-auth", "subscription-key",
                                        "access-key" };
    g_autofree char *lower = g_ascii_strdown(name, -1);

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        if (strstr(lower, parts[i]) != NULL)
            return true;
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
        if (g_str_has_suffix(lower, ends[i]))
            return true;
    return false;
}

/* What says where a request ends. */
static bool
frames_request(const char *name)
{
    return g_ascii_strcasecmp(name, "Content-Length") == 0 ||
           g_ascii_strcasecmp(name, "Transfer-Encoding") == 0 ||
           g_ascii_strcasecmp(name, "Upgrade") == 0;
}

bool
plan_check_header(const char *text, GError **error)
{
    const size_t size = strcspn(text, ":");
    g_autofree char *name = g_strndup(text, size);

    if (text[size] != ':' || !is_token(text, size)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "expected a header of the form 'Name: value'");
        return false;
    }
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 && *c != '\t') {
            g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                        "the value of %s holds a control character", name);
            return false;
        }
    if (frames_request(name)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s is written by lens itself; leave it out", name);
        return false;
    }
    if (!carries_credential(name))
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "%s carries a credential, which is never written out: name the variable "
                "with --api-key-env NAME or the file with --api-key-file FILE "
                "(in a plan: api_key_env, api_key_file)",
                name);
    return false;
}

bool
plan_check_proxy(const char *text, GError **error)
{
    const char *host = strstr(text, "://");
    const size_t size = strcspn(host != NULL ? host + 3 : text, "/?#");
    static const char *const schemes[] = { "http://",    "https://",  "socks4://",
                                           "socks4a://", "socks5://", "socks5h://" };

    if (memchr(host != NULL ? host + 3 : text, '@', size) != NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "a user and password in the proxy's URL are refused; put them into "
                    "the environment variable https_proxy (or http_proxy) instead");
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
        if (g_str_has_prefix(text, schemes[i]) && text[strlen(schemes[i])] != '\0')
            return true;
    if (host == NULL && plan_is_host_port(text))
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "expected a proxy such as http://127.0.0.1:3128 or "
                "socks5h://127.0.0.1:1080");
    return false;
}

bool
plan_check_resolve(const char *text, GError **error)
{
    g_autoptr(GRegex) form = g_regex_new(
        "^[A-Za-z0-9._*-]+:[0-9]{1,5}:\\[?[0-9A-Fa-f.:]+\\]?(,\\[?[0-9A-Fa-f.:]"
        "+\\]?)*$",
        G_REGEX_DEFAULT, G_REGEX_MATCH_DEFAULT, NULL);

    if (g_regex_match(form, text, G_REGEX_MATCH_DEFAULT, NULL))
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "expected HOST:PORT:ADDRESS, for instance example.org:443:127.0.0.1, got "
                "'%s'",
                text);
    return false;
}

bool
plan_is_host_port(const char *text)
{
    const char *end = text;
    size_t digits;

    if (*end == '[')
        end += strcspn(end, "]") + (strchr(end, ']') != NULL);
    else
        while (g_ascii_isalnum(*end) || strchr(".-_", *end != '\0' ? *end : '!') != NULL)
            end++;
    if (end == text || *end != ':')
        return false;
    digits = strspn(end + 1, "0123456789");
    end += 1 + digits;
    return digits > 0 && digits <= 5 && (*end == '\0' || *end == '/');
}

bool
plan_refuse_shape(const char *text, GError **error)
{
    const char *open = strchr(text, '(');

    if (open == NULL || open == text || open - text > 20 || !g_ascii_isalpha(text[0]) ||
        memchr(text, ':', (size_t)(open - text)) != NULL)
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "'%.*s' can be read two ways: as delays between requests (then give the "
                "rate: --rate 10 is one every 100ms) or as token counts (then give "
                "--prompts FILE for the input and --max-tokens 100 for the output)",
                plain_text_cut(text, 40), text);
    return false;
}
