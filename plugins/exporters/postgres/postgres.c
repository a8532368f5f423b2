/* postgres: samples, intervals and runs as rows of PostgreSQL tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "intervals.h"
#include "samples.h"

#define MOST_PARAMETERS 12

struct postgres {
    const struct lens_host *host;
    struct conn conn;
    const char *keywords[MOST_PARAMETERS], *values[MOST_PARAMETERS];
    int32_t create, observatory;
    struct sample_table samples;
    struct table intervals, runs;
    struct run_names names;
    struct text rows, sql;
};

static void
postgres_close(void *self)
{
    struct postgres *p = self;

    conn_close(&p->conn);
    sample_table_clear(&p->samples);
    table_clear(&p->intervals);
    table_clear(&p->runs);
    run_names_clear(&p->names);
    text_clear(&p->rows);
    text_clear(&p->sql);
    free(p);
}

/* ---- options ---- */

/* A password has its own option; libpq names it thus in a DSN and in a URI. */
static lens_status
check_dsn(struct postgres *p, const char *dsn)
{
    char *error = NULL;
    PQconninfoOption *list = PQconninfoParse(dsn, &error);
    int secret = 0;

    if (list == NULL) {
        char why[512];

        snprintf(why, sizeof why, "option dsn: %.400s",
                 error != NULL ? error : "not one");
        why[strcspn(why, "\n")] = '\0';
        PQfreemem(error);
        return p->host->fail(p->host, LENS_E_CONFIG, why);
    }
    for (const PQconninfoOption *o = list; o->keyword != NULL; o++)
        secret |= strcmp(o->keyword, "password") == 0 && o->val != NULL;
    PQconninfoFree(list);
    return secret ? p->host->fail(p->host, LENS_E_CONFIG,
                                  "option dsn: a password does not belong there: set "
                                  "PGPASSWORD, or password=env:NAME")
                  : LENS_OK;
}

static void
add_parameter(struct postgres *p, size_t *used, const char *keyword, const char *value)
{
    if (value == NULL || *used + 1 >= MOST_PARAMETERS)
        return;
    p->keywords[*used] = keyword;
    p->values[(*used)++] = value;
}

/* Later ones win over the DSN, which stands in `dbname`. What is not given libpq takes
 * from PGHOST, PGUSER, ..., and the user's ~/.pgpass. */
static void
collect_parameters(struct postgres *p, const char *dsn)
{
    const struct lens_host *host = p->host;
    size_t used = 0;

    add_parameter(p, &used, "dbname", dsn);
    add_parameter(p, &used, "host", host->opt_string(host, "host", 0));
    add_parameter(p, &used, "port", host->opt_string(host, "port", 0));
    if (dsn == NULL)
        add_parameter(p, &used, "dbname", host->opt_string(host, "dbname", 0));
    add_parameter(p, &used, "user", host->opt_string(host, "user", 0));
    add_parameter(p, &used, "password", host->opt_string(host, "password", 0));
    add_parameter(p, &used, "sslmode", host->opt_string(host, "sslmode", 0));
    add_parameter(p, &used, "fallback_application_name", "lens");
    add_parameter(p, &used, "connect_timeout", "10");
}

static char *
named(const struct lens_host *host, const char *option)
{
    const char *value = host->opt_string(host, option, 0);

    return value != NULL ? strdup(value) : NULL;
}

static int
make_run_table(struct table *t)
{
    static const char *const columns[][2] = {
        { "run_id", "text" },   { "started_at", "timestamptz" },
        { "version", "text" },  { "host", "text" },
        { "seed", "text" },     { "plan_hash", "text" },
        { "run_file", "text" }, { "plan", "jsonb" },
        { "verdict", "text" },  { "summary", "jsonb" },
    };

    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (!table_add(t, columns[i][0], columns[i][1], "", 0))
            return 0;
    t->key = "run_id";
    t->name = strdup("lens_run");
    return t->name != NULL;
}

static lens_status
make_tables(struct postgres *p)
{
    const struct lens_host *host = p->host;
    const char *map = host->opt_string(host, "map", 0);
    lens_status status;

    p->observatory = strcmp(host->opt_string(host, "preset", 0), "observatory") == 0;
    status = p->observatory ? sample_table_mapped(&p->samples, host, map)
                            : sample_table_own(&p->samples, host);
    if (status != LENS_OK)
        return status;
    p->samples.table.name = named(host, "table");
    if (p->samples.table.name == NULL)
        p->samples.table.name = strdup(p->observatory ? "llm_traces" : "lens_sample");
    p->samples.table.schema = named(host, "schema");
    p->intervals.schema = named(host, "schema");
    p->runs.schema = named(host, "schema");
    p->intervals.name = strdup("lens_interval");
    if (!interval_table_make(&p->intervals) || !make_run_table(&p->runs) ||
        p->samples.table.name == NULL || p->intervals.name == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    return LENS_OK;
}

static lens_status
postgres_open(const struct lens_host *host, void **ret_self)
{
    struct postgres *p = calloc(1, sizeof *p);
    const char *dsn = host->opt_string(host, "dsn", 0);
    lens_status status;

    if (p == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    p->host = host;
    p->create = host->opt_int(host, "create") != 0;
    collect_parameters(p, dsn);
    p->conn = (struct conn){ .host = host,
                             .keywords = p->keywords,
                             .values = p->values,
                             .timeout_ms = host->opt_int(host, "timeout") / 1000000 };
    status = dsn != NULL ? check_dsn(p, dsn) : LENS_OK;
    if (status == LENS_OK)
        status = make_tables(p);
    if (status != LENS_OK) {
        postgres_close(p);
        return status;
    }
    *ret_self = p;
    return LENS_OK;
}

/* ---- the tables in the database ---- */

static const char *
sql_of(struct text *sql)
{
    text_put(sql, "", 1);
    return sql->data;
}

static int
create(struct postgres *p, const struct table *t)
{
    text_rewind(&p->sql);
    table_create(t, &p->sql);
    return conn_run(&p->conn, sql_of(&p->sql));
}

/* A hypertable where TimescaleDB is there; a table that has rows stays as it is. */
static int
divide(struct postgres *p, const struct table *t)
{
    struct text name = { 0 };
    char found[16];
    int fine;

    if (t->time == NULL || !conn_ask(&p->conn,
                                     "SELECT 1 FROM pg_extension WHERE extname = "
                                     "'timescaledb'",
                                     NULL, found, sizeof found))
        return t->time == NULL;
    if (found[0] == '\0')
        return 1;
    table_name(t, &name);
    text_rewind(&p->sql);
    text_add(&p->sql, "SELECT create_hypertable('");
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '\'')
            text_add(&p->sql, "'");
        text_put(&p->sql, &name.data[i], 1);
    }
    text_add(&p->sql, "', '");
    text_add(&p->sql, t->time);
    text_add(&p->sql, "', if_not_exists => true, migrate_data => true)");
    text_clear(&name);
    fine = conn_run(&p->conn, sql_of(&p->sql));
    return fine;
}

static int
prepare(struct postgres *p)
{
    if (!conn_open(&p->conn))
        return 0;
    if (!p->create)
        return 1;
    if (!create(p, &p->samples.table) || !divide(p, &p->samples.table))
        return 0;
    return p->observatory ||
           (create(p, &p->runs) && create(p, &p->intervals) && divide(p, &p->intervals));
}

/* ---- delivery ---- */

/* What became of `count` things after the trouble of the connection. */
static lens_status
answer(struct postgres *p, uint64_t count, struct lens_delivery *d)
{
    static const uint64_t first = 0;

    p->host->fail(p->host, LENS_OK, p->conn.why);
    if (p->conn.pg != NULL)
        conn_run(&p->conn, "ROLLBACK");
    switch (p->conn.trouble) {
    case TROUBLE_LATER:
        d->verdict = LENS_DELIVERY_LATER;
        return LENS_OK;
    case TROUBLE_DATA:
        if (count > 1) { /* find the one that is at fault */
            d->verdict = LENS_DELIVERY_SPLIT;
            return LENS_OK;
        }
        p->host->log(p->host, LENS_LOG_WARNING, p->conn.why);
        d->delivered_prefix = count;
        d->refused = &first;
        d->refused_count = 1;
        return LENS_OK;
    default:
        d->verdict = LENS_DELIVERY_GIVE_UP;
        return LENS_OK;
    }
}

static int
run_part(struct postgres *p, const struct table *t,
         void (*make)(const struct table *, struct text *))
{
    text_rewind(&p->sql);
    make(t, &p->sql);
    return conn_run(&p->conn, sql_of(&p->sql));
}

/* All rows or none: a repeat finds them there and changes nothing. */
static int
put_rows(struct postgres *p, const struct table *t)
{
    if (!conn_open(&p->conn) || !run_part(p, t, table_stage) ||
        !conn_run(&p->conn, "BEGIN"))
        return 0;
    text_rewind(&p->sql);
    table_copy(t, &p->sql);
    return conn_copy(&p->conn, sql_of(&p->sql), &p->rows) &&
           run_part(p, t, table_merge) && conn_run(&p->conn, "COMMIT");
}

static int
put_run(struct postgres *p, const struct lens_run *run)
{
    struct value started = { .kind = VALUE_NONE };
    const char *values[8];

    value_set_time(&started, run->start_unix_ns);
    values[0] = run->id;
    values[1] = started.kind == VALUE_NONE ? NULL : started.string;
    values[2] = run->version;
    values[3] = run->host_name;
    values[4] = run->seed;
    values[5] = run->plan_hash;
    values[6] = run->run_file;
    values[7] =
        run->plan_json != NULL && run->plan_json[0] != '\0' ? run->plan_json : NULL;
    text_rewind(&p->sql);
    text_add(&p->sql, "INSERT INTO ");
    table_name(&p->runs, &p->sql);
    text_add(&p->sql,
             " (run_id, started_at, version, host, seed, plan_hash, run_file, plan) "
             "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING");
    return conn_run_with(&p->conn, sql_of(&p->sql), values, 8);
}

static lens_status
postgres_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct postgres *p = self;

    (void)resumed;
    if (run_names_take(&p->names, run) != LENS_OK)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    if (prepare(p) && (p->observatory || put_run(p, run)))
        return LENS_OK;
    if (p->conn.pg != NULL)
        conn_close(&p->conn);
    return p->host->fail(p->host,
                         p->conn.trouble == TROUBLE_LATER ? LENS_E_IO : LENS_E_FAILED,
                         p->conn.why);
}

static lens_status
postgres_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
                 struct lens_delivery *d)
{
    struct postgres *p = self;

    text_rewind(&p->rows);
    for (uint64_t i = 0; i < count; i++)
        sample_table_row(&p->samples, batch[i], &p->names, &p->rows);
    if (p->rows.failed)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    if (!put_rows(p, &p->samples.table))
        return answer(p, count, d);
    d->delivered_prefix = count;
    return LENS_OK;
}

static lens_status
postgres_snapshot(void *self, const struct lens_snapshot *s, struct lens_delivery *d)
{
    struct postgres *p = self;
    const char *at = (const char *)s->interval;

    d->delivered_prefix = 1;
    if (p->observatory)
        return LENS_OK;
    text_rewind(&p->rows);
    for (uint32_t i = 0; i < s->result_count; i++, at += s->result_size)
        interval_row(&p->intervals, s, (const struct lens_result *)(const void *)at,
                     &p->names, &p->rows);
    if (p->rows.failed)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    if (put_rows(p, &p->intervals))
        return LENS_OK;
    d->delivered_prefix = 0;
    return answer(p, 1, d);
}

static const char *
worst_verdict(const struct lens_summary *s)
{
    const char *at = (const char *)s->results, *worst = "VALID";

    for (uint32_t i = 0; i < s->result_count; i++, at += s->result_size) {
        const char *one = ((const struct lens_result *)(const void *)at)->verdict;

        if (strcmp(one, "INVALID") == 0 || strcmp(worst, "VALID") == 0)
            worst = one;
    }
    return worst;
}

static lens_status
postgres_end(void *self, const struct lens_summary *s, struct lens_delivery *d)
{
    struct postgres *p = self;
    const char *const values[] = { p->names.run_id, worst_verdict(s), s->json };

    d->delivered_prefix = 1;
    if (p->observatory)
        return LENS_OK;
    text_rewind(&p->sql);
    text_add(&p->sql, "UPDATE ");
    table_name(&p->runs, &p->sql);
    text_add(&p->sql, " SET verdict = $2, summary = $3 WHERE run_id = $1");
    if (conn_open(&p->conn) && conn_run_with(&p->conn, sql_of(&p->sql), values, 3))
        return LENS_OK;
    d->delivered_prefix = 0;
    return answer(p, 1, d);
}

static const struct lens_option options[] = {
    { .name = "dsn",
      .type = LENS_OPT_STRING,
      .help = "connection string or postgresql:// URI, without a password" },
    { .name = "host",
      .type = LENS_OPT_STRING,
      .help = "host name, or the folder of a Unix socket; default PGHOST" },
    { .name = "port", .type = LENS_OPT_STRING, .help = "default PGPORT, or 5432" },
    { .name = "dbname", .type = LENS_OPT_STRING, .help = "database; default PGDATABASE" },
    { .name = "user", .type = LENS_OPT_STRING, .help = "default PGUSER" },
    { .name = "password",
      .type = LENS_OPT_SECRET,
      .variable = "PGPASSWORD",
      .help = "password of the user" },
    { .name = "sslmode",
      .type = LENS_OPT_CHOICE,
      .choices = "disable|allow|prefer|require|verify-ca|verify-full",
      .help = "default PGSSLMODE, or prefer" },
    { .name = "schema",
      .type = LENS_OPT_STRING,
      .help = "schema of the tables; default: the first of search_path" },
    { .name = "create",
      .type = LENS_OPT_BOOL,
      .fallback = "false",
      .help = "make tables and columns that are missing; hypertables with TimescaleDB" },
    { .name = "preset",
      .type = LENS_OPT_CHOICE,
      .fallback = "lens",
      .choices = "lens|observatory",
      .help = "our own tables, or one table of LLM calls whose columns `map` names" },
    { .name = "table",
      .type = LENS_OPT_STRING,
      .help = "table of samples; default lens_sample, or llm_traces" },
    { .name = "map",
      .type = LENS_OPT_PATH,
      .help = "observatory: file with lines COLUMN = SOURCE" },
    { .name = "timeout",
      .type = LENS_OPT_DURATION,
      .fallback = "10s",
      .help = "longest wait for an answer of the server" },
};

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_SAMPLES | LENS_EXPORT_INTERVALS | LENS_EXPORT_IDEMPOTENT |
             LENS_EXPORT_NO_MARKS,
    .options = LENS_SCHEMA(options),
    .open = postgres_open,
    .close = postgres_close,
    .begin = postgres_begin,
    .samples = postgres_samples,
    .snapshot = postgres_snapshot,
    .end = postgres_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "postgres",
    .version = "1.0.0",
    .summary = "rows for PostgreSQL and TimescaleDB",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
