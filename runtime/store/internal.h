/* store/internal.h - what the files of this folder know of each other, and nobody else. */
#ifndef BLIP_STORE_INTERNAL_H
#define BLIP_STORE_INTERNAL_H

#include "store/store.h"
#include <duckdb.h>
#include <pthread.h>

struct table;
struct table_registry;

struct store {
    duckdb_database database;
    int lock_file;  // held with flock(); -1 in memory
    struct table_registry *tables;
};

/* A transaction's hold on one table's writer lock; see table.h. */
struct table_write;

#define STATEMENT_CACHE_SIZE 128

struct statement {
    char *sql;
    uint64_t hash, last_use;
    duckdb_prepared_statement prepared;
};

struct connection {
    struct store *store;
    duckdb_connection duckdb;
    pthread_mutex_t interrupts;  // guards `guarded`
    bool guarded;                // what runs now must not be interrupted
    bool in_transaction;
    struct table_write *writes;  // tables that the open transaction writes to
    struct json_reader *reader;  // NULL until something is read
    bool (*cancelled)(void *context);
    void *cancelled_context;
    struct statement statements[STATEMENT_CACHE_SIZE];
    size_t statement_count;
    uint64_t statement_clock;
};

/* Turns the failure that a result reports into a status and a one-line reason. */
enum status duckdb_failure(duckdb_error_type type, const char *message, struct error *err);

/* Runs one statement that has no parameters and no interesting answer. */
enum status run_sql(struct connection *c, const char *sql, struct error *err);

/* Executes a statement from the cache; the caller destroys the result on STATUS_OK. */
enum status run_statement(struct connection *c, const char *sql, const struct param *params,
                          size_t count, duckdb_result *result, struct error *err);

/* Copies a result into a new frame; see read.h. */
enum status read_frame(duckdb_result *result, struct frame **out, struct error *err);

/* Forgets every prepared statement. */
void statements_free(struct connection *c);

#endif
