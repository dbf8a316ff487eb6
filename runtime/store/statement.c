/* store/statement.c - running SQL: the cache of prepared statements, parameters, failures.
 * Preparing costs more than most of our short statements take to run, and their texts repeat,
 * so each connection keeps the last ones it used. */
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

static enum status status_of(duckdb_error_type type) {
    switch (type) {
    case DUCKDB_ERROR_INTERRUPT:
        return STATUS_CANCELLED;
    case DUCKDB_ERROR_OUT_OF_MEMORY:
        return STATUS_NO_MEMORY;
    case DUCKDB_ERROR_TRANSACTION:
        return STATUS_CONFLICT;
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_INTERNAL:
        return STATUS_FAILED;
    default:
        return STATUS_INVALID;
    }
}

// "CSV Error on Line: 7\nOriginal Line: ...\nExpected Number of Columns: 2 Found: 3\n\n..."
// says what is wrong after the line, which may hold newlines itself. False for other messages.
static bool csv_failure(const char *message, struct error *err) {
    static const char *const known[] = {"Expected Number of Columns", "Value with unterminated",
                                        "Invalid unicode", "Maximum line size"};
    const char *place = strstr(message, "CSV Error on Line: "), *what = NULL;
    for (size_t i = 0; place && !what && i < sizeof known / sizeof *known; i++)
        what = strstr(place, known[i]);
    if (!what) return false;
    fail(err, STATUS_INVALID, "%.*s: %.*s", (int)strcspn(place, "\n"), place,
         (int)strcspn(what, "\n"), what);
    return true;
}

enum status duckdb_failure(duckdb_error_type type, const char *message, struct error *err) {
    if (!message) message = "the store failed without a reason";
    if (csv_failure(message, err)) return STATUS_INVALID;
    int line = (int)strcspn(message, "\n");  // the rest points into the statement's text
    enum status status = status_of(type);
    const char *what = "";
    // DuckDB calls this a conflict of transactions when it happens in a commit.
    if (strstr(message, "No space left on device") || strstr(message, "File too large")) {
        status = STATUS_FAILED;
        what = "the disk is full: ";
    }
    fail(err, status, "%s%.*s", what, line, message);
    return status;
}

static enum status check_cancelled(struct connection *c, struct error *err) {
    if (c->cancelled && c->cancelled(c->cancelled_context))
        return fail(err, STATUS_CANCELLED, "the job was cancelled");
    return STATUS_OK;
}

enum status run_sql(struct connection *c, const char *sql, struct error *err) {
    duckdb_result result;
    enum status status = STATUS_OK;
    if (duckdb_query(c->duckdb, sql, &result) != DuckDBSuccess)
        status = duckdb_failure(duckdb_result_error_type(&result), duckdb_result_error(&result),
                                err);
    duckdb_destroy_result(&result);
    return status;
}

// FNV-1a; only picks a candidate, the texts are compared.
static uint64_t hash_text(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}

static void statement_free(struct statement *s) {
    duckdb_destroy_prepare(&s->prepared);
    free(s->sql);
    *s = (struct statement){0};
}

void statements_free(struct connection *c) {
    for (size_t i = 0; i < c->statement_count; i++)
        statement_free(&c->statements[i]);
    c->statement_count = 0;
}

static struct statement *find_statement(struct connection *c, const char *sql, uint64_t hash) {
    for (size_t i = 0; i < c->statement_count; i++) {
        struct statement *s = &c->statements[i];
        if (s->hash == hash && strcmp(s->sql, sql) == 0) return s;
    }
    return NULL;
}

// An empty place, or that of the statement which was not used for longest.
static struct statement *make_place(struct connection *c) {
    if (c->statement_count < STATEMENT_CACHE_SIZE) return &c->statements[c->statement_count++];
    struct statement *oldest = c->statements;
    for (size_t i = 1; i < c->statement_count; i++)
        if (c->statements[i].last_use < oldest->last_use) oldest = &c->statements[i];
    statement_free(oldest);
    return oldest;
}

static enum status prepare(struct connection *c, const char *sql, struct statement **out,
                           struct error *err) {
    uint64_t hash = hash_text(sql);
    struct statement *s = find_statement(c, sql, hash);
    if (!s) {
        duckdb_prepared_statement prepared;
        if (duckdb_prepare(c->duckdb, sql, &prepared) != DuckDBSuccess) {
            enum status status =
                duckdb_failure(DUCKDB_ERROR_INVALID, duckdb_prepare_error(prepared), err);
            duckdb_destroy_prepare(&prepared);
            return status;
        }
        s = make_place(c);
        *s = (struct statement){.sql = strdup(sql), .hash = hash, .prepared = prepared};
        if (!s->sql) {
            duckdb_destroy_prepare(&s->prepared);
            *s = c->statements[--c->statement_count];
            fail(err, STATUS_NO_MEMORY, "no memory for a statement");
            return STATUS_NO_MEMORY;
        }
    }
    s->last_use = ++c->statement_clock;
    *out = s;
    return STATUS_OK;
}

static duckdb_state bind_param(duckdb_prepared_statement s, idx_t at, const struct param *p) {
    switch (p->type) {
    case PARAM_NULL:
        return duckdb_bind_null(s, at);
    case PARAM_BOOL:
        return duckdb_bind_boolean(s, at, p->boolean);
    case PARAM_INT:
        return duckdb_bind_int64(s, at, p->integer);
    case PARAM_DOUBLE:
        return duckdb_bind_double(s, at, p->number);
    case PARAM_TEXT:
        return duckdb_bind_varchar_length(s, at, p->text.bytes, p->text.size);
    case PARAM_BLOB:
        return duckdb_bind_blob(s, at, p->text.bytes, p->text.size);
    }
    return DuckDBError;
}

static enum status bind_params(duckdb_prepared_statement s, const struct param *params,
                               size_t count, struct error *err) {
    idx_t wanted = duckdb_nparams(s);
    if (wanted != count)
        return fail(err, STATUS_INVALID, "the statement has %zu parameters, %zu were given",
                    (size_t)wanted, count);
    for (size_t i = 0; i < count; i++)
        if (bind_param(s, i + 1, &params[i]) != DuckDBSuccess)
            return fail(err, STATUS_INVALID, "parameter %zu cannot be bound", i + 1);
    return STATUS_OK;
}

enum status run_statement(struct connection *c, const char *sql, const struct param *params,
                          size_t count, duckdb_result *result, struct error *err) {
    struct statement *s = NULL;
    enum status status = check_cancelled(c, err);
    if (status == STATUS_OK) status = prepare(c, sql, &s, err);
    if (status == STATUS_OK) status = bind_params(s->prepared, params, count, err);
    if (status != STATUS_OK) return status;
    if (duckdb_execute_prepared(s->prepared, result) == DuckDBSuccess) return STATUS_OK;
    status = duckdb_failure(duckdb_result_error_type(result), duckdb_result_error(result), err);
    duckdb_destroy_result(result);
    return status;
}
