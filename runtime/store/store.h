/* store/store.h - the embedded database: one DuckDB file in the data folder, and connections.
 *
 *     store (shared by all threads)  ── connection (one per worker) ── transaction
 *        └─ tables, one per index (table.h)      └─ prepared statements
 *
 * A store may be used by many threads; a connection belongs to one. An answered commit is on
 * stable storage: DuckDB's log is synchronised before commit returns. */
#ifndef BLIP_STORE_STORE_H
#define BLIP_STORE_STORE_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;
struct connection;
struct frame;
struct json_reader;

struct store_options {
    const char *folder;   // the data folder, made when absent; NULL keeps everything in memory
    size_t memory_bytes;  // of DuckDB's buffers; 0 = half of the machine's
    unsigned threads;     // of one query; 0 = one per core
};

/* Opens or creates the store.
 * STATUS_BUSY when another process has the folder open, STATUS_DENIED when the folder cannot be
 * read or written, STATUS_FAILED when the file in it is damaged: the reason names the folder.
 */
enum status store_open(const struct store_options *options, struct store **out,
                       struct error *err);

/* Writes the log back into the file and closes it. Every connection must be closed before. */
void store_close(struct store *s);  // NULL is fine

enum status connection_open(struct store *s, struct connection **out, struct error *err);
void connection_close(struct connection *c);  // rolls back what is open; NULL is fine
struct store *connection_store(struct connection *c);

/* The connection's own reader of JSON; NULL when memory runs out. */
struct json_reader *connection_reader(struct connection *c);

/* Names who says that the job of this connection is cancelled; asked before each statement.
 * NULL: nobody. */
void connection_watch(struct connection *c, bool (*cancelled)(void *context), void *context);

/* Stops the statement that the connection is running, from any thread: it returns
 * STATUS_CANCELLED. Does nothing when none is running. */
void connection_interrupt(struct connection *c);

/* Transactions. Outside of one every statement commits by itself. Beginning inside of one, or
 * ending none, is STATUS_INVALID. A failed commit has rolled back. */
enum status connection_begin(struct connection *c, struct error *err);
enum status connection_commit(struct connection *c, struct error *err);
void connection_rollback(struct connection *c);  // fine when none is open
bool connection_in_transaction(const struct connection *c);

enum param_type { PARAM_NULL, PARAM_BOOL, PARAM_INT, PARAM_DOUBLE, PARAM_TEXT, PARAM_BLOB };

/* One value bound to a statement's ?, in order. Texts and blobs are borrowed. */
struct param {
    enum param_type type;
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct {
            const char *bytes;
            size_t size;
        } text;
    };
};

/* Runs one statement and copies its answer into a new frame (read.h says which types become
 * which columns); frame_free() frees it. The statement stays prepared for the next time.
 * STATUS_INVALID with DuckDB's message when the statement is wrong, STATUS_CANCELLED,
 * STATUS_CONFLICT when another transaction was faster, STATUS_NO_MEMORY, STATUS_FAILED. */
enum status connection_query(struct connection *c, const char *sql, const struct param *params,
                             size_t count, struct frame **out, struct error *err);

/* As connection_query(), for statements that answer with a number of changed rows. */
enum status connection_execute(struct connection *c, const char *sql,
                               const struct param *params, size_t count, int64_t *changed,
                               struct error *err);

/* Writes the log back into the file now, so that the next start need not replay it. */
enum status connection_checkpoint(struct connection *c, struct error *err);

#endif
