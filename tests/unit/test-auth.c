/* SigV4 against published vectors, and the forms of what is sent and stored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth-private.h"
#include "auth.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define DAY INT64_C(1440938160) /* 20150830T123600Z */
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct lens_bytes
bytes(const char *text)
{
    return (struct lens_bytes){ text, strlen(text) };
}

struct signature {
    char names[256], authorization[1024], token[64], date[32], hash[80];
    int calls, budget;
};

static lens_status
note(void *to, const char *name, const char *value, uint32_t flags)
{
    struct signature *s = to;

    if (s->budget >= 0 && s->calls >= s->budget)
        return LENS_E_NOMEM;
    s->calls++;
    strcat(strcat(s->names, name), " ");
    if (strcmp(name, "authorization") == 0)
        strcpy(s->authorization, value);
    if (strcmp(name, "x-amz-security-token") == 0)
        strcpy(s->token, value);
    if (strcmp(name, "x-amz-date") == 0)
        strcpy(s->date, value);
    if (strcmp(name, "x-amz-content-sha256") == 0)
        strcpy(s->hash, value);
    assert_int_equal(flags,
                     strcmp(name, "x-amz-security-token") == 0 ? LENS_HEADER_SECRET : 0);
    return LENS_OK;
}

struct vector {
    const char *method, *url;
    const char *headers[8]; /* name, value, ... */
    const char *body;
    const char *region, *service, *token;
    int64_t unix_s;
    uint32_t flags;
    const char *signed_headers, *canonical_hash, *signature;
};

static const struct vector vectors[] = {
    { "GET",
      "http://example.amazonaws.com/",
      { NULL },
      "",
      "us-east-1",
      "service",
      "",
      DAY,
      0,
      "host;x-amz-date",
      "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "POST",
      "http://example.amazonaws.com/",
      { "Content-Type", "application/x-www-form-urlencoded", "Content-Length", "13",
        "X-Amz-Content-Sha256",
        "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e" },
      "Param1=value1",
      "us-east-1",
      "service",
      "",
      DAY,
      0,
      "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
      "b1edd1d03544c25390e32085d55b57acc9a3961bb59415ff86c45c3d89d16cfb",
      "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b" },
    { "GET",
      "http://example.amazonaws.com/?Param2=value2&Param1=value1",
      { NULL },
      "",
      "us-east-1",
      "service",
      "",
      DAY,
      0,
      "host;x-amz-date",
      "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
    { "GET",
      "http://example.amazonaws.com/example space/",
      { NULL },
      "",
      "us-east-1",
      "service",
      "",
      DAY,
      0,
      "host;x-amz-date",
      "63ee75631ed7234ae61b5f736dfc7754cdccfedbff4b5128a915706ee9390d86",
      "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741" },
    { "GET",
      "http://example.amazonaws.com//example//",
      { NULL },
      "",
      "us-east-1",
      "service",
      "",
      DAY,
      0,
      "host;x-amz-date",
      "cb96b4ac96d501f7c5c15bc6d67b3035061cfced4af6585ad927f7e6c985c015",
      "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84" },
    { "POST",
      "https://bedrock-mantle.us-east-1.api.aws/openai/v1/responses",
      { "Content-Type", "application/json", "User-Agent", "anything", "Connection",
        "close" },
      "{\"model\":\"gpt-4o\",\"input\":\"hello\"}",
      "us-east-1",
      "bedrock-mantle",
      "fixture-session-token",
      INT64_C(1735787045),
      LENS_SIGV4_CONTENT_SHA256,
      "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
      "1b69b17ef7548a7bf16a6ee749acfd44b7793e04216345dddd6cfaf4c01bfde5",
      "dc20c8fbe516daf0ccae7e5b7a78fc2936870413a9f1af6e1b2d44b970ce411f" },
};

static uint32_t
pairs(const struct vector *v, struct lens_pair *ret)
{
    uint32_t count = 0;

    for (; v->headers[2 * count] != NULL; count++)
        ret[count] = (struct lens_pair){ bytes(v->headers[2 * count]),
                                         bytes(v->headers[2 * count + 1]) };
    return count;
}

static struct lens_auth_sigv4
request_of(const struct vector *v, struct lens_pair *headers)
{
    return (struct lens_auth_sigv4){
        .method = v->method,
        .url = v->url,
        .headers = headers,
        .header_count = pairs(v, headers),
        .flags = v->flags,
        .body = bytes(v->body),
        .keys = { bytes("AKIDEXAMPLE"), bytes(SECRET), bytes(v->token), { "", 0 } },
        .region = v->region,
        .service = v->service,
        .unix_ns = v->unix_s * 1000000000,
    };
}

static void
published_signatures_are_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const struct vector *v = &vectors[i];
        struct lens_pair headers[8];
        const struct lens_auth_sigv4 what = request_of(v, headers);
        struct lens_text canonical = { 0 };
        struct signature s = { .budget = -1 };
        char hash[65], tail[300];

        assert_int_equal(lens_auth_sigv4_canonical(&what, &canonical), LENS_OK);
        lens_auth_sha256_hex(canonical.data, canonical.size, hash);
        assert_string_equal(hash, v->canonical_hash);
        lens_text_clear(&canonical);
        assert_int_equal(lens_auth_sigv4(&what, note, &s), LENS_OK);
        strcat(strcat(strcpy(tail, "SignedHeaders="), v->signed_headers), ", Signature=");
        assert_non_null(strstr(s.authorization, strcat(tail, v->signature)));
        assert_string_equal(s.token, v->token);
        assert_int_equal(strlen(s.date), 16);
    }
}

static void
the_scope_names_day_region_and_service(void **state)
{
    struct lens_pair headers[8];
    const struct lens_auth_sigv4 what = request_of(&vectors[5], headers);
    struct signature s = { .budget = -1 };

    (void)state;
    assert_int_equal(lens_auth_sigv4(&what, note, &s), LENS_OK);
    assert_non_null(strstr(s.authorization,
                           "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20250102/us-east-1/"
                           "bedrock-mantle/aws4_request, "));
    assert_string_equal(
        s.names, "x-amz-date x-amz-content-sha256 x-amz-security-token authorization ");
    assert_string_equal(
        s.hash, "50329e51ad520f21b77bad0b01999930ff556cd1bf18434701251ba6c9f877bc");
    assert_string_equal(s.date, "20250102T030405Z");
}

/* First lines of the canonical request: method, path, query. */
static void
expect_start(const char *url, uint32_t flags, const char *expected)
{
    const struct lens_auth_sigv4 what = {
        .method = "GET",
        .url = url,
        .flags = flags,
        .keys = { bytes("A"), bytes("B"), { "", 0 }, { "", 0 } },
        .region = "r",
        .service = "s",
    };
    struct lens_text text = { 0 };

    assert_int_equal(lens_auth_sigv4_canonical(&what, &text), LENS_OK);
    if (strncmp(text.data, expected, strlen(expected)) != 0)
        assert_string_equal(text.data, expected);
    lens_text_clear(&text);
}

static void
path_and_query_have_one_form(void **state)
{
    (void)state;
    expect_start("https://h", 0, "GET\n/\n\n");
    expect_start("https://h?a=b", 0, "GET\n/\na=b\n");
    expect_start("https://h/a/./b/../../c", 0, "GET\n/c\n\n");
    expect_start("https://h/..", 0, "GET\n/\n\n");
    expect_start("https://h/a/b/..", 0, "GET\n/a\n\n");
    expect_start("https://h/a/b/../", 0, "GET\n/a/\n\n");
    /* What is a %3A on the wire is encoded once more, a raw colon once. */
    expect_start("https://h/model/a%3A0/converse", 0, "GET\n/model/a%253A0/converse\n\n");
    expect_start("https://h/model/a:0/converse", 0, "GET\n/model/a%3A0/converse\n\n");
    expect_start("https://h/a%20b", LENS_SIGV4_SINGLE_ENCODED, "GET\n/a%20b\n\n");
    expect_start("https://h/a?b", 0, "GET\n/a\nb=\n");
    expect_start("https://h/a?b=%2F&b=/&a=%7e&&c=%zz", 0,
                 "GET\n/a\na=~&b=%2F&b=%2F&c=%25zz\n");
    expect_start("https://h/a?b=2&b=1&B=1#part", 0, "GET\n/a\nB=1&b=1&b=2\n");
    expect_start("https://h/\xc3\xa9", 0, "GET\n/%C3%A9\n\n");
    expect_start("https://h:443/", 0, "GET\n/\n\nhost:h\n");
    expect_start("https://h:8443/", 0, "GET\n/\n\nhost:h:8443\n");
    expect_start("http://h:80/", 0, "GET\n/\n\nhost:h\n");
}

static void
headers_have_one_form(void **state)
{
    const struct lens_pair headers[] = {
        { bytes("My-Header2"), bytes("  a   b  ") },
        { bytes("my-header1"), bytes("x") },
        { bytes("MY-HEADER1"), bytes("\ta\n b") },
        { bytes("Host"), bytes("other") },
        { bytes("Expect"), bytes("no") },
        { bytes("Proxy-Any"), bytes("no") },
        { bytes("traceparent"), bytes("no") },
    };
    const struct lens_auth_sigv4 what = {
        .method = "GET",
        .url = "https://h/",
        .headers = headers,
        .header_count = sizeof headers / sizeof *headers,
        .keys = { bytes("A"), bytes("B"), { "", 0 }, { "", 0 } },
        .region = "r",
        .service = "s",
    };
    struct lens_text text = { 0 };

    (void)state;
    assert_int_equal(lens_auth_sigv4_canonical(&what, &text), LENS_OK);
    assert_string_equal(text.data, "GET\n/\n\nhost:other\nmy-header1:x,a b\n"
                                   "my-header2:a b\nx-amz-date:19700101T000000Z\n\n"
                                   "host;my-header1;my-header2;x-amz-date\n" EMPTY);
    lens_text_clear(&text);
}

static void
what_cannot_be_signed_is_refused(void **state)
{
    struct lens_pair headers[8];
    struct lens_auth_sigv4 what = request_of(&vectors[5], headers);

    (void)state;
    for (int budget = 0; budget < 4; budget++) {
        struct signature s = { .budget = budget };

        assert_int_equal(lens_auth_sigv4(&what, note, &s), LENS_E_NOMEM);
    }
    what.url = "ftp://h/";
    assert_int_equal(lens_auth_sigv4(&what, note, NULL), LENS_E_CONFIG);
    what.url = "h/";
    assert_int_equal(lens_auth_sigv4(&what, note, NULL), LENS_E_CONFIG);
}

static void
hashes_are_the_published_ones(void **state)
{
    /* RFC 4231, case 2. */
    static const unsigned char expected[32] = { 0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75,
                                                0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95,
                                                0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d,
                                                0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9,
                                                0x64, 0xec, 0x38, 0x43 };
    unsigned char got[32];
    char hex[65];

    (void)state;
    lens_auth_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, got);
    assert_memory_equal(got, expected, sizeof got);
    lens_auth_sha256_hex("", 0, hex);
    assert_string_equal(hex, EMPTY);
    lens_auth_sha256_hex(NULL, 0, hex);
    assert_string_equal(hex, EMPTY);
}

/* ---- forms ---- */

static void
base64_goes_there_and_back(void **state)
{
    /* RFC 4648, 10. */
    static const char *const pairs[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
    };
    static const char *const bad[] = {
        "A", "AAAAA", "A===", "AA=A", "!!!!", "AA=", "===="
    };
    struct lens_text t = { 0 };
    char out[16];

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        lens_text_reset(&t);
        lens_text_add_base64(&t, pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(lens_text_get(&t), pairs[i][1]);
        assert_int_equal(lens_base64_decode(pairs[i][1], strlen(pairs[i][1]), out),
                         (int64_t)strlen(pairs[i][0]));
        assert_memory_equal(out, pairs[i][0], strlen(pairs[i][0]));
    }
    lens_text_reset(&t);
    lens_text_add_base64url(&t, "\xfb\xff\xfe\xff", 4);
    assert_string_equal(t.data, "-__-_w");
    assert_int_equal(lens_base64_decode("-__-_w", 6, out), 4);
    assert_int_equal(lens_base64_decode("+//+\r\n/w==", 10, out), 4);
    assert_memory_equal(out, "\xfb\xff\xfe\xff", 4);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(lens_base64_decode(bad[i], strlen(bad[i]), out), -1);
    lens_text_clear(&t);
}

static void
forms_are_encoded(void **state)
{
    struct lens_text t = { 0 };

    (void)state;
    lens_text_add_form(&t, "a b", "c&d=e", 5);
    lens_text_add_form(&t, "x", "\xc3\xa9~", 3);
    assert_string_equal(t.data, "a%20b=c%26d%3De&x=%C3%A9~");
    lens_text_reset(&t);
    lens_text_add_percent(&t, "a/b:c", 5, "/");
    assert_string_equal(t.data, "a/b%3Ac");
    lens_text_clear(&t);
    assert_string_equal(lens_text_get(&t), "");
}

static void
times_are_read(void **state)
{
    (void)state;
    assert_int_equal(auth_time("2015-08-30T12:36:00Z"), DAY * 1000000000);
    assert_int_equal(auth_time("2015-08-30T12:36:00.123456Z"), DAY * 1000000000);
    assert_int_equal(auth_time("2015-08-30 12:36:00"), DAY * 1000000000);
    assert_int_equal(auth_time("2015-08-30T14:36:00+02:00"), DAY * 1000000000);
    assert_int_equal(auth_time("2015-08-30T07:06:00-0530"), DAY * 1000000000);
    assert_int_equal(auth_time("tomorrow"), 0);
    assert_int_equal(auth_time("2015-08-30T12:36:00 o'clock"), 0);
    assert_int_equal(auth_time(""), 0);
}

static void
profiles_are_found(void **state)
{
    const struct lens_bytes file =
        bytes("# all\n[default]\nkey = one\n\n[profile  other]\r\n key = not\r\n"
              "key=two\r\ns3 =\r\n  key = nested\r\n[ third ]\nkey\n; end\nlast = a = b");
    struct lens_text t = { 0 };

    (void)state;
    assert_true(auth_ini_value(file, "default", "key", &t));
    assert_string_equal(t.data, "one");
    assert_true(auth_ini_value(file, "profile other", "key", &t));
    assert_string_equal(t.data, "two");
    assert_false(auth_ini_value(file, "third", "key", &t));
    assert_true(auth_ini_value(file, "third", "last", &t));
    assert_string_equal(t.data, "a = b");
    assert_true(auth_ini_has_section(file, "third"));
    assert_false(auth_ini_has_section(file, "other"));
    assert_false(auth_ini_has_section(file, "profile"));
    lens_text_clear(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_signatures_are_made),
        cmocka_unit_test(the_scope_names_day_region_and_service),
        cmocka_unit_test(path_and_query_have_one_form),
        cmocka_unit_test(headers_have_one_form),
        cmocka_unit_test(what_cannot_be_signed_is_refused),
        cmocka_unit_test(hashes_are_the_published_ones),
        cmocka_unit_test(base64_goes_there_and_back),
        cmocka_unit_test(forms_are_encoded),
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(profiles_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
