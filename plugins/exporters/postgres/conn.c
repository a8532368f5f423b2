#include "conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* Source: PostgreSQL documentation, appendix A, "Error Codes". A class is its first two
 * characters. */
static const struct {
    const char *prefix;
    enum trouble trouble;
    const char *advice;
} states[] = {
    { "08", TROUBLE_LATER, NULL }, /* connection */
    { "40", TROUBLE_LATER, NULL }, /* serialization, deadlock */
    { "53", TROUBLE_LATER, NULL }, /* out of memory, disk, connections */
    { "55P03", TROUBLE_LATER, NULL },
    { "57", TROUBLE_LATER, NULL }, /* shut down, cancelled by the timeout */
    { "58", TROUBLE_LATER, NULL }, /* I/O */
    { "22", TROUBLE_DATA, NULL },  /* out of range, not a number */
    { "23", TROUBLE_DATA, NULL },  /* a constraint of the user's */
    { "28", TROUBLE_SETUP, "see the options user and password, or PGPASSWORD" },
    { "3D000", TROUBLE_SETUP, "create the database, or see the option dbname" },
    { "3F000", TROUBLE_SETUP, "create the schema, or see the option schema" },
    { "42P01", TROUBLE_SETUP, "the table is missing: create=true makes it" },
    { "42703", TROUBLE_SETUP, "a column is missing: create=true adds it" },
    { "42501", TROUBLE_SETUP, "the user lacks a right" },
};

static void
set_trouble(struct conn *c, enum trouble trouble, const char *state, const char *message)
{
    const char *advice = NULL;
    size_t size = strcspn(message, "\n");

    snprintf(c->state, sizeof c->state, "%s", state != NULL ? state : "");
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (c->state[0] != '\0' &&
            strncmp(c->state, states[i].prefix, strlen(states[i].prefix)) == 0) {
            trouble = states[i].trouble;
            advice = states[i].advice;
        }
    c->trouble = trouble;
    snprintf(c->why, sizeof c->why, "postgres: %.*s%s%s", (int)(size < 700 ? size : 700),
             message, advice != NULL ? "; " : "", advice != NULL ? advice : "");
}

void
conn_close(struct conn *c)
{
    PQfinish(c->pg);
    c->pg = NULL;
}

static int
lose(struct conn *c, const char *message)
{
    set_trouble(c, TROUBLE_LATER, NULL, message);
    conn_close(c);
    return 0;
}

/* Waits for the socket; 0: the time is over. */
static int
wait_for(struct conn *c, short events)
{
    struct pollfd socket = { .fd = PQsocket(c->pg), .events = events };
    int ready;

    do
        ready = poll(&socket, 1, (int)c->timeout_ms);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/* ---- connecting ---- */

/* A server says in its message what a SQLSTATE says elsewhere. */
static enum trouble
trouble_of_login(const char *message)
{
    static const char *const hopeless[] = { "authentication failed",
                                            "does not exist",
                                            "no password supplied",
                                            "pg_hba.conf",
                                            "invalid ",
                                            "SSL",
                                            "certificate" };

    for (size_t i = 0; i < sizeof hopeless / sizeof hopeless[0]; i++)
        if (strstr(message, hopeless[i]) != NULL)
            return TROUBLE_SETUP;
    return TROUBLE_LATER;
}

static int
finish_login(struct conn *c)
{
    for (;;) {
        const PostgresPollingStatusType step = PQconnectPoll(c->pg);

        if (step == PGRES_POLLING_OK)
            return 1;
        if (step == PGRES_POLLING_FAILED) {
            set_trouble(c, trouble_of_login(PQerrorMessage(c->pg)), NULL,
                        PQerrorMessage(c->pg));
            conn_close(c);
            return 0;
        }
        if (!wait_for(c, step == PGRES_POLLING_READING ? POLLIN : POLLOUT))
            return lose(c, "the server does not answer");
    }
}

static void
drop_notice(void *data, const PGresult *result)
{
    (void)data;
    (void)result;
}

int
conn_open(struct conn *c)
{
    if (c->pg != NULL && PQstatus(c->pg) == CONNECTION_OK)
        return 1;
    conn_close(c);
    c->pg = PQconnectStartParams(c->keywords, c->values, 1);
    if (c->pg == NULL)
        return lose(c, "out of memory");
    if (PQstatus(c->pg) == CONNECTION_BAD) {
        set_trouble(c, trouble_of_login(PQerrorMessage(c->pg)), NULL,
                    PQerrorMessage(c->pg));
        conn_close(c);
        return 0;
    }
    if (!wait_for(c, POLLOUT))
        return lose(c, "the server does not answer");
    if (!finish_login(c))
        return 0;
    PQsetnonblocking(c->pg, 1);
    PQsetNoticeReceiver(c->pg, drop_notice, NULL);
    return 1;
}

/* ---- statements ---- */

static int
flush(struct conn *c)
{
    int left;

    while ((left = PQflush(c->pg)) > 0) {
        if (!wait_for(c, POLLIN | POLLOUT))
            return lose(c, "the server takes nothing any more");
        if (!PQconsumeInput(c->pg))
            return lose(c, PQerrorMessage(c->pg));
    }
    return left == 0 ? 1 : lose(c, PQerrorMessage(c->pg));
}

/* The next result; NULL: there is none, or the connection was lost (pg is NULL then). */
static PGresult *
next_result(struct conn *c)
{
    while (PQisBusy(c->pg)) {
        if (!wait_for(c, POLLIN)) {
            lose(c, "the server does not answer");
            return NULL;
        }
        if (!PQconsumeInput(c->pg)) {
            lose(c, PQerrorMessage(c->pg));
            return NULL;
        }
    }
    return PQgetResult(c->pg);
}

static int
judge(struct conn *c, const PGresult *result)
{
    const ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
        status == PGRES_COPY_IN || status == PGRES_EMPTY_QUERY)
        return 1;
    set_trouble(c, TROUBLE_SETUP, PQresultErrorField(result, PG_DIAG_SQLSTATE),
                PQresultErrorMessage(result));
    return 0;
}

/* Takes all results; `ret` keeps the first one when not NULL. */
static int
finish(struct conn *c, PGresult **ret)
{
    PGresult *result;
    int fine = 1;

    while ((result = next_result(c)) != NULL) {
        fine = judge(c, result) && fine;
        if (ret != NULL && *ret == NULL)
            *ret = result;
        else
            PQclear(result);
    }
    return fine && c->pg != NULL;
}

int
conn_run(struct conn *c, const char *sql)
{
    if (!PQsendQuery(c->pg, sql))
        return lose(c, PQerrorMessage(c->pg));
    return flush(c) && finish(c, NULL);
}

int
conn_run_with(struct conn *c, const char *sql, const char *const *values, int count)
{
    if (!PQsendQueryParams(c->pg, sql, count, NULL, values, NULL, NULL, 0))
        return lose(c, PQerrorMessage(c->pg));
    return flush(c) && finish(c, NULL);
}

int
conn_ask(struct conn *c, const char *sql, const char *value, char *ret, size_t size)
{
    PGresult *result = NULL;
    int fine;

    *ret = '\0';
    if (!PQsendQueryParams(c->pg, sql, value != NULL, NULL, &value, NULL, NULL, 0))
        return lose(c, PQerrorMessage(c->pg));
    fine = flush(c) && finish(c, &result);
    if (fine && PQntuples(result) > 0)
        snprintf(ret, size, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return fine;
}

/* ---- COPY ---- */

static int
put_rows(struct conn *c, const struct text *rows)
{
    const size_t piece = 65536;

    for (size_t at = 0; at < rows->size;) {
        const size_t size = rows->size - at < piece ? rows->size - at : piece;
        const int done = PQputCopyData(c->pg, rows->data + at, (int)size);

        if (done < 0)
            return lose(c, PQerrorMessage(c->pg));
        at += done > 0 ? size : 0;
        if (!flush(c))
            return 0;
    }
    while (PQputCopyEnd(c->pg, NULL) == 0)
        if (!flush(c))
            return 0;
    return flush(c);
}

int
conn_copy(struct conn *c, const char *sql, const struct text *rows)
{
    PGresult *result;
    int fine;

    if (!PQsendQuery(c->pg, sql))
        return lose(c, PQerrorMessage(c->pg));
    if (!flush(c))
        return 0;
    result = next_result(c);
    if (result == NULL)
        return 0;
    fine = judge(c, result);
    if (fine && PQresultStatus(result) == PGRES_COPY_IN)
        fine = put_rows(c, rows);
    PQclear(result);
    return c->pg != NULL && finish(c, NULL) && fine;
}
