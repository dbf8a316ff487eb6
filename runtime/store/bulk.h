/* store/bulk.h - what one request writes: operations, in order, and what became of each.
 *
 *     {"index":{"_index":"logs","_id":"1"}}      ┐
 *     {"host":"a","cpu":0.5}                     ┘ operation 0
 *     {"delete":{"_id":"2"}}                       operation 1
 *
 * A bulk owns the text it was read from; operations point into it. */
#ifndef BLIP_STORE_BULK_H
#define BLIP_STORE_BULK_H

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table;
struct batch;

enum action { ACTION_INDEX, ACTION_CREATE, ACTION_UPDATE, ACTION_DELETE };

enum outcome {
    OUTCOME_NONE,
    OUTCOME_CREATED,
    OUTCOME_UPDATED,
    OUTCOME_DELETED,
    OUTCOME_NOT_FOUND,
    OUTCOME_NOOP,
};

enum version_type { VERSION_INTERNAL, VERSION_EXTERNAL, VERSION_EXTERNAL_GTE };

struct span {
    const char *bytes;  // NULL: not given
    size_t size;
};

struct operation {
    enum action action;
    size_t target;            // among the bulk's targets
    struct span id;           // not given: one is made
    struct span source;       // of index and create; of update the body, later the new document
    struct span doc, upsert;  // of update
    bool doc_as_upsert, no_detect_noop, return_source, scripted;
    int64_t if_seq_no, if_primary_term;  // -1: not given
    int64_t version;                     // external
    enum version_type version_type;
    // what became of it
    int http_status;  // 0: not done yet
    enum outcome outcome;
    int64_t seq_no, result_version;
    size_t error_at, error_size;  // in the bulk's errors; size 0 = it worked
    size_t row;                   // in its table's batch; SIZE_MAX = none
};

/* An index that operations name, and what the caller made of the name. */
struct target {
    struct span name;
    bool require_alias;
    struct table *table;   // retained
    struct bytes refusal;  // Elasticsearch error object when the name cannot be written to
    int http_status;       // of the refusal
};

struct bulk {
    char *body;  // padded
    size_t body_size;
    struct operation *operations;
    size_t count, capacity;
    struct target *targets;
    size_t target_count, target_capacity;
    struct bytes errors;
    bool failed;             // some operation did
    struct batch **batches;  // kept for the texts that operations point to
    size_t batch_count;
};

/* A request that is wrong as a whole. */
struct bulk_refusal {
    const char *type;
    char reason[1024];
};

/* Reads a _bulk body. index: for lines that name none, NULL = they must.
 * STATUS_INVALID fills refusal. bulk_free() frees the bulk. */
enum status bulk_read(struct json_reader *reader, const char *body, size_t size,
                      const char *index, struct bulk **out, struct bulk_refusal *refusal,
                      struct error *err);

/* Reads documents without action lines: all of them are indexed with ids of their own. */
enum status bulk_read_documents(const char *body, size_t size, const char *index,
                                struct bulk **out, struct error *err);

/* A bulk of one operation, its texts copied. For updates the body is read as bulk_read() does.
 */
enum status bulk_one(struct json_reader *reader, const struct operation *operation,
                     const char *index, struct bulk **out, struct bulk_refusal *refusal,
                     struct error *err);

void bulk_free(struct bulk *b);  // NULL is fine

/* Records that an operation failed, with an Elasticsearch error object. */
void bulk_fail(struct bulk *b, struct operation *o, int http_status,
               const struct bytes *refusal);

/* Records that all operations of one kind on a target failed, before they are carried out. */
void bulk_refuse(struct bulk *b, size_t target, enum action action, int http_status,
                 const struct bytes *refusal);

/* "created", "updated", ... */
const char *outcome_name(enum outcome outcome);

/* Appends [{"index":{"_index":"logs","_id":"1","_version":1,...,"status":201}},...]. */
void bulk_write_items(const struct bulk *b, bool forced_refresh, struct bytes *out);

#endif
