#include "tags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/words.h"

lens_status
refuse_option(const struct lens_host *host, const char *option, const char *value,
              const char *why)
{
    char text[2048];

    snprintf(text, sizeof text, "option %s: `%.200s`: %s", option, value, why);
    return host->fail(host, LENS_E_CONFIG, text);
}

const struct field *
find_field(const char *name)
{
    for (uint32_t i = 0; i < sample_field_count; i++) {
        const char *column = field_column(&sample_fields[i]);
        const size_t size = strlen(name);

        if (strncmp(column, name, size) == 0 &&
            (column[size] == '\0' || strcmp(column + size, "_ms") == 0))
            return &sample_fields[i];
    }
    return NULL;
}

/* ---- what is known of the run ---- */

static char *
copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

lens_status
run_facts_take(struct run_facts *f, const struct lens_run *run)
{
    run_facts_clear(f);
    snprintf(f->run, sizeof f->run, "%s", run->id != NULL ? run->id : "");
    f->id = copy(run->id);
    f->host_name = copy(run->host_name);
    f->start_unix_ns = run->start_unix_ns;
    f->targets = calloc((size_t)run->target_count + 1, sizeof *f->targets);
    f->workloads = calloc((size_t)run->stage_count + 1, sizeof *f->workloads);
    if (f->targets == NULL || f->workloads == NULL)
        return LENS_E_NOMEM;
    for (; f->target_count < run->target_count; f->target_count++) {
        const struct lens_target_info *info =
            (const void *)((const char *)run->targets +
                           (size_t)f->target_count * run->target_size);

        f->targets[f->target_count] =
            (struct target_facts){ copy(info->provider), copy(info->api),
                                   copy(info->model) };
    }
    for (; f->stage_count < run->stage_count; f->stage_count++) {
        const struct lens_stage_info *info =
            (const void *)((const char *)run->stages +
                           (size_t)f->stage_count * run->stage_size);

        f->workloads[f->stage_count] = copy(info->workload);
    }
    return run_names_take(&f->names, run);
}

void
run_facts_clear(struct run_facts *f)
{
    for (uint32_t i = 0; i < f->target_count; i++) {
        free(f->targets[i].provider);
        free(f->targets[i].api);
        free(f->targets[i].model);
    }
    for (uint32_t i = 0; i < f->stage_count; i++)
        free(f->workloads[i]);
    free(f->targets);
    free(f->workloads);
    free(f->id);
    free(f->host_name);
    run_names_clear(&f->names);
    *f = (struct run_facts){ 0 };
}

static const char *
read_host(const struct run_facts *f, uint32_t target, uint32_t stage)
{
    (void)target, (void)stage;
    return f->host_name;
}

static const char *
read_run(const struct run_facts *f, uint32_t target, uint32_t stage)
{
    (void)target, (void)stage;
    return f->run;
}

static const char *
read_target(const struct run_facts *f, uint32_t target, uint32_t stage)
{
    (void)stage;
    return target < f->names.target_count ? f->names.targets[target] : NULL;
}

static const char *
read_stage(const struct run_facts *f, uint32_t target, uint32_t stage)
{
    (void)target;
    return stage < f->names.stage_count ? f->names.stages[stage] : NULL;
}

static const char *
read_provider(const struct run_facts *f, uint32_t target, uint32_t stage)
{
    (void)stage;
    return target < f->target_count ? f->targets[target].provider : NULL;
}

static const char *
read_api(const struct run_facts *f, uint32_t target, uint32_t stage)
{
    (void)stage;
    return target < f->target_count ? f->targets[target].api : NULL;
}

static const char *
read_model(const struct run_facts *f, uint32_t target, uint32_t stage)
{
    (void)stage;
    return target < f->target_count ? f->targets[target].model : NULL;
}

static const char *
read_workload(const struct run_facts *f, uint32_t target, uint32_t stage)
{
    (void)target;
    return stage < f->stage_count ? f->workloads[stage] : NULL;
}

/* ---- the table ---- */

#define ALL (POINT_RUN | POINT_RESULT | POINT_SAMPLE)
#define BOTH (POINT_RESULT | POINT_SAMPLE)

/* host and run tell intervals of runs at the same time apart, whatever is asked for. With
 * samples the run is a field: a series for each run would be many. */
static const struct tag known[] = {
    { .key = "api", .kinds = BOTH, .read = read_api },
    { .key = "error", .kinds = POINT_SAMPLE, .usual = POINT_SAMPLE },
    { .key = "finish", .kinds = POINT_SAMPLE },
    { .key = "host", .kinds = ALL, .usual = ALL, .read = read_host },
    { .key = "http_status", .kinds = POINT_SAMPLE },
    { .key = "model", .kinds = BOTH, .usual = BOTH, .read = read_model },
    { .key = "outcome", .kinds = POINT_SAMPLE, .usual = POINT_SAMPLE },
    { .key = "phase", .kinds = POINT_SAMPLE, .usual = POINT_SAMPLE },
    { .key = "provider", .kinds = BOTH, .usual = BOTH, .read = read_provider },
    { .key = "run", .kinds = ALL, .usual = POINT_RUN | POINT_RESULT, .read = read_run },
    { .key = "served_model", .kinds = POINT_SAMPLE },
    { .key = "stage", .kinds = BOTH, .usual = BOTH, .read = read_stage },
    { .key = "target", .kinds = BOTH, .usual = BOTH, .read = read_target },
    { .key = "tier", .kinds = POINT_SAMPLE },
    { .key = "workload", .kinds = BOTH, .read = read_workload },
};
#define KNOWN (sizeof known / sizeof known[0])

static const struct tag *
find_known(const char *name)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (strcmp(known[i].key, name) == 0)
            return &known[i];
    return NULL;
}

static lens_status
unknown(const struct lens_host *host, const char *name)
{
    char why[512] = "no such tag, expected some of";
    size_t used = strlen(why);

    for (size_t i = 0; i < KNOWN && used < sizeof why; i++)
        used += (size_t)snprintf(why + used, sizeof why - used, "%s%s",
                                 i == 0 ? " " : ", ", known[i].key);
    return refuse_option(host, "tags", name, why);
}

static void
add(struct tags *t, const struct tag *tag, uint32_t kinds)
{
    uint32_t at = 0;

    if (kinds == 0 || t->count == MOST_TAGS)
        return;
    while (at < t->count && strcmp(t->items[at].key, tag->key) < 0)
        at++;
    if (at == t->count || strcmp(t->items[at].key, tag->key) != 0) {
        memmove(&t->items[at + 1], &t->items[at], (t->count++ - at) * sizeof *tag);
        t->items[at] = *tag;
        t->items[at].kinds = 0;
    }
    t->items[at].kinds |= kinds;
    if (tag->read == NULL && tag->value == NULL)
        t->items[at].field = find_field(tag->key);
}

/* ---- the options ---- */

struct choice {
    struct tags *tags;
    const struct lens_host *host;
};

static lens_status
choose(void *data, const char *name)
{
    const struct choice *c = data;
    const struct tag *tag = find_known(name);

    if (tag == NULL)
        return unknown(c->host, name);
    add(c->tags, tag, tag->kinds);
    return LENS_OK;
}

static lens_status
add_chosen(struct tags *t, const struct lens_host *host)
{
    const int usual = host->opt_count(host, "tags") == 0;
    struct choice choice = { t, host };

    for (size_t i = 0; i < KNOWN; i++)
        if (usual)
            add(t, &known[i], known[i].usual);
        else if (known[i].read == read_run || known[i].read == read_host)
            add(t, &known[i], known[i].usual & (POINT_RUN | POINT_RESULT));
    return words_each(host, "tags", choose, &choice);
}

/* KEY=VALUE, the same for all points. */
static lens_status
add_own(struct tags *t, const struct lens_host *host, const char *text, char **room)
{
    struct tag tag = { .kinds = ALL };
    char *equals;
    const char *bad;

    memcpy(*room, text, strlen(text) + 1);
    equals = strchr(*room, '=');
    if (equals == NULL || equals[1] == '\0')
        return refuse_option(host, "tag", text, "expected KEY=VALUE");
    *equals = '\0';
    tag.key = *room;
    tag.value = equals + 1;
    bad = line_bad_key(tag.key);
    if (bad != NULL)
        return refuse_option(host, "tag", text, bad);
    if (find_known(tag.key) != NULL || strcmp(tag.key, "kind") == 0)
        return refuse_option(host, "tag", text, "lens has a tag of this name");
    if (t->count == MOST_TAGS)
        return refuse_option(host, "tag", text, "too many tags");
    add(t, &tag, ALL);
    *room += strlen(text) + 1;
    return LENS_OK;
}

lens_status
tags_open(struct tags *t, const struct lens_host *host)
{
    const int32_t count = host->opt_count(host, "tag");
    lens_status status = add_chosen(t, host);
    size_t size = 1;
    char *room;

    for (int32_t i = 0; i < count; i++)
        size += strlen(host->opt_string(host, "tag", (uint32_t)i)) + 1;
    room = t->own = malloc(size);
    if (room == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    for (int32_t i = 0; i < count && status == LENS_OK; i++)
        status = add_own(t, host, host->opt_string(host, "tag", (uint32_t)i), &room);
    return status;
}

void
tags_close(struct tags *t)
{
    free(t->own);
}

int
tags_have(const struct tags *t, enum point_kind kind, const char *key)
{
    for (uint32_t i = 0; i < t->count; i++)
        if ((t->items[i].kinds & (uint32_t)kind) != 0 &&
            strcmp(t->items[i].key, key) == 0)
            return 1;
    return 0;
}

/* ---- writing ---- */

static void
write_field(const struct tag *tag, const struct run_facts *f, const struct lens_sample *s,
            struct lines *to)
{
    struct value v;

    field_read(tag->field, s, &f->names, &v);
    if (v.kind == VALUE_INT)
        snprintf(v.buffer, sizeof v.buffer, "%lld", (long long)v.integer);
    if (v.kind == VALUE_INT || v.kind == VALUE_STRING)
        line_tag(to, tag->key, v.kind == VALUE_INT ? v.buffer : v.string);
}

void
tags_write(const struct tags *t, enum point_kind kind, const struct run_facts *f,
           uint32_t target, uint32_t stage, const struct lens_sample *s, struct lines *to)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct tag *tag = &t->items[i];

        if ((tag->kinds & (uint32_t)kind) == 0)
            continue;
        if (tag->value != NULL)
            line_tag(to, tag->key, tag->value);
        else if (tag->read != NULL)
            line_tag(to, tag->key, tag->read(f, target, stage));
        else if (tag->field != NULL)
            write_field(tag, f, s, to);
    }
}
