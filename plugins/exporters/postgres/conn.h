/* conn: one connection to PostgreSQL that never waits longer than it is told to, and what
 * its errors mean. */
#pragma once

#include <libpq-fe.h>

#include <lens/plugin.h>

#include "../common/text.h"

enum trouble {
    TROUBLE_NONE,
    TROUBLE_LATER, /* gone, restarting, busy: the same again */
    TROUBLE_DATA,  /* a value will never be taken */
    TROUBLE_SETUP  /* nothing will be taken as things stand */
};

struct conn {
    const struct lens_host *host;
    PGconn *pg; /* NULL: not connected */
    const char *const *keywords, *const *values;
    int64_t timeout_ms; /* of one step */
    enum trouble trouble;
    char state[6]; /* SQLSTATE of the last error, or empty */
    char why[1024];
};

/* Connects if it is not. 0: `trouble` and `why` say what is the matter. */
int conn_open(struct conn *c);
void conn_close(struct conn *c);
/* Runs statements that give no rows; several are one transaction. */
int conn_run(struct conn *c, const char *sql);
/* The same with text parameters; NULL is null. */
int conn_run_with(struct conn *c, const char *sql, const char *const *values, int count);
/* The first column of the first row into `ret`; empty when there is none. */
int conn_ask(struct conn *c, const char *sql, const char *value, char *ret, size_t size);
/* Rows in the text form of COPY into what `sql` ("COPY t (a, b) FROM STDIN") names. */
int conn_copy(struct conn *c, const char *sql, const struct text *rows);
