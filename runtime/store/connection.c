/* store/connection.c - see store.h: connections, transactions, statements. */
#include "store/internal.h"

#include "base/json.h"
#include "frame/frame.h"
#include "store/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum status connection_open(struct store *s, struct connection **out, struct error *err) {
    struct connection *c = calloc(1, sizeof *c);
    if (!c) return fail(err, STATUS_NO_MEMORY, "no memory for a store connection");
    c->store = s;
    pthread_mutex_init(&c->interrupts, NULL);
    if (duckdb_connect(s->database, &c->duckdb) != DuckDBSuccess) {
        pthread_mutex_destroy(&c->interrupts);
        free(c);
        return fail(err, STATUS_FAILED, "the store refuses a connection");
    }
    // All times are UTC here, whatever the machine's zone.
    if (duckdb_query(c->duckdb, "SET TimeZone = 'UTC'", NULL) != DuckDBSuccess) {
        connection_close(c);
        return fail(err, STATUS_FAILED, "the store does not know the time zone UTC");
    }
    *out = c;
    return STATUS_OK;
}

void connection_close(struct connection *c) {
    if (!c) return;
    connection_rollback(c);
    statements_free(c);
    json_reader_free(c->reader);
    duckdb_disconnect(&c->duckdb);
    pthread_mutex_destroy(&c->interrupts);
    free(c);
}

struct store *connection_store(struct connection *c) {
    return c->store;
}

void connection_watch(struct connection *c, bool (*cancelled)(void *context), void *context) {
    c->cancelled = cancelled;
    c->cancelled_context = context;
}

void connection_interrupt(struct connection *c) {
    pthread_mutex_lock(&c->interrupts);
    if (!c->guarded) duckdb_interrupt(c->duckdb);
    pthread_mutex_unlock(&c->interrupts);
}

static void guard(struct connection *c, bool on) {
    pthread_mutex_lock(&c->interrupts);
    c->guarded = on;
    pthread_mutex_unlock(&c->interrupts);
}

// Begins or ends a transaction. An interrupted COMMIT would say that it failed when it did not.
static enum status run_guarded(struct connection *c, const char *sql, struct error *err) {
    guard(c, true);
    enum status status = run_sql(c, sql, err);
    guard(c, false);
    return status;
}

struct json_reader *connection_reader(struct connection *c) {
    if (!c->reader) c->reader = json_reader_new();
    return c->reader;
}

bool connection_in_transaction(const struct connection *c) { return c->in_transaction; }

enum status connection_begin(struct connection *c, struct error *err) {
    if (c->in_transaction) return fail(err, STATUS_INVALID, "a transaction is already open");
    enum status status = run_guarded(c, "BEGIN TRANSACTION", err);
    c->in_transaction = status == STATUS_OK;
    return status;
}

enum status connection_begin_behind(struct connection *c, struct table *const *tables,
                                    size_t count, struct error *err) {
    if (c->in_transaction) return fail(err, STATUS_INVALID, "a transaction is already open");
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = table_write_lock(c, tables[i], err);
    if (status == STATUS_OK) status = connection_begin(c, err);
    if (status != STATUS_OK) table_writes_end(c, false);
    return status;
}

enum status connection_commit(struct connection *c, struct error *err) {
    if (!c->in_transaction) return fail(err, STATUS_INVALID, "no transaction is open");
    enum status status = run_guarded(c, "COMMIT", err);
    if (status != STATUS_OK) {
        connection_rollback(c);
        return status;
    }
    c->in_transaction = false;
    table_writes_end(c, true);
    return STATUS_OK;
}

void connection_rollback(struct connection *c) {
    // Fails only when a failed commit has done it already.
    if (c->in_transaction) run_guarded(c, "ROLLBACK", NULL);
    c->in_transaction = false;
    table_writes_end(c, false);
}

enum status connection_query(struct connection *c, const char *sql, const struct param *params,
                             size_t count, struct frame **out, struct error *err) {
    duckdb_result result;
    enum status status = run_statement(c, sql, params, count, &result, err);
    if (status != STATUS_OK) return status;
    status = read_frame(&result, out, err);
    duckdb_destroy_result(&result);
    return status;
}

enum status connection_execute(struct connection *c, const char *sql,
                               const struct param *params, size_t count, int64_t *changed,
                               struct error *err) {
    duckdb_result result;
    enum status status = run_statement(c, sql, params, count, &result, err);
    if (status != STATUS_OK) return status;
    if (changed) *changed = (int64_t)duckdb_rows_changed(&result);
    duckdb_destroy_result(&result);
    return STATUS_OK;
}

enum status connection_checkpoint(struct connection *c, struct error *err) {
    return run_sql(c, "CHECKPOINT", err);
}
