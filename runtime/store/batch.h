/* store/batch.h - documents on their way into a table, held by column as the table will.
 *
 *     row   _id   _source          "cpu" (DOUBLE)   "tags" (TEXT)   "tags[]" (LIST)
 *     0     "a"   {"cpu":0.5,...}  0.5              "x"             ["x", "y"]
 *     1     "b"   {"tags":"z"}     -                "z"             -
 *
 * Rows are added one after the other: batch_begin_row(), batch_add_*() for each value,
 * then batch_end_row() or batch_drop_row(). Texts are not copied: they lie in the request's
 * body, or in the batch's own memory by batch_keep(). */
#ifndef BLIP_STORE_BATCH_H
#define BLIP_STORE_BATCH_H

#include "store/mapping.h"
#include <duckdb.h>

/* The values of one column. */
struct cells {
    enum storage storage;
    bool list;
    void *values;                // int64_t, double, uint8_t or duckdb_string_t, by storage
    uint8_t *present;            // one byte a row; scalars: 1 = has a value
    size_t capacity;             // scalars: rows; lists: elements
    uint64_t *starts, *lengths;  // lists: where the elements of a row are
    size_t row_capacity;         // lists: rows
    size_t count;                // lists: elements so far
};

struct batch {
    struct mapping *mapping;  // the batch's own copy: documents add fields to it
    size_t first_new_field;   // fields from here on are not in the table yet
    size_t first_new_column;
    size_t field_mark, column_mark;  // what the mapping had when the row was begun
    size_t rows, capacity;
    duckdb_string_t *ids, *sources;
    int64_t *seq_nos, *versions;
    uint8_t *dead;          // replaced or refused after it was parsed: not appended
    struct cells *columns;  // one per column of the mapping
    size_t column_count;
    struct arena *arena;
};

/* Takes the mapping over. NULL when memory runs out. */
struct batch *batch_new(struct mapping *mapping);
void batch_free(struct batch *b);  // NULL is fine

enum status batch_begin_row(struct batch *b, struct error *err);
void batch_end_row(struct batch *b, duckdb_string_t id, duckdb_string_t source);

/* Forgets the values of the row that was begun, and the fields that came with it. */
void batch_drop_row(struct batch *b);

/* Adds a value of the field to the row: the first goes into its column, more make a list. The
 * field must have a column of the storage that the function names. */
enum status batch_add_int(struct batch *b, struct field *f, int64_t value, struct error *err);
enum status batch_add_double(struct batch *b, struct field *f, double value, struct error *err);
enum status batch_add_bool(struct batch *b, struct field *f, bool value, struct error *err);
enum status batch_add_text(struct batch *b, struct field *f, duckdb_string_t value,
                           struct error *err);

/* Copies a text into the batch's own memory; NULL when there is no more. */
const char *batch_keep(struct batch *b, const char *bytes, size_t size);

/* DuckDB's form of a text: up to 12 bytes lie in it, longer ones are pointed at. */
duckdb_string_t batch_text(const char *bytes, size_t size);

#endif
