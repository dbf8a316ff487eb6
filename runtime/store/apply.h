/* store/apply.h - one operation of a bulk, under the writer lock of its table: which document
 * it means, whether its conditions hold, its number and version, and what becomes of the row.
 * Nothing is written here: rows are marked and gathered, ingest.c writes them at the end. */
#ifndef BLIP_STORE_APPLY_H
#define BLIP_STORE_APPLY_H

#include "store/batch.h"
#include "store/bulk.h"
#include "store/table.h"

// The operations of one bulk on one table.
struct group {
    struct table *table;
    struct batch *batch;
    struct table_write *write;
    bool explicit_ids;
    int64_t first_seq_no;
    size_t *row_of;  // [seq_no - first_seq_no]: the batch's row, SIZE_MAX = none
    size_t row_of_capacity;
    int64_t *deletes;  // rows of the table that are replaced or deleted
    size_t delete_count, delete_capacity;
};

struct ingest {
    struct connection *c;
    struct json_reader *reader;
    struct bulk *bulk;
    struct group *groups;
    size_t group_count;
    size_t *group_of;  // [target]; SIZE_MAX = refused
    struct bytes refusal;
};

/* The group of an operation; NULL when its target was refused. */
struct group *ingest_group(const struct ingest *g, const struct operation *o);

/* Parses the operation's source into the group's batch. What is wrong with the document is the
 * operation's own affair, recorded in it, and STATUS_OK. */
enum status ingest_parse(struct ingest *g, struct group *group, struct operation *o,
                         struct error *err);

/* Carries out an operation that was not refused yet; its outcome is in it. */
enum status apply_operation(struct ingest *g, struct operation *o, struct error *err);

#endif
