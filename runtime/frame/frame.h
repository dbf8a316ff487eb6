/* frame/frame.h - the answer of a scan: a batch of rows held by column.
 *
 *     row   time (INT)      host (TEXT)   error_rate (DOUBLE)
 *     0     1420070400000   "a"           0.25
 *     1     1420070400000   "b"           NaN        no value
 *
 * One row per (interval, entity) for detectors, one per document or bucket for searches.
 * Per-row work stays in here: models read the columns and add verdict columns, the store reads
 * and writes whole frames. A frame belongs to one job at a time; nothing in it is locked. */
#ifndef BLIP_FRAME_FRAME_H
#define BLIP_FRAME_FRAME_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum column_type {
    COLUMN_DOUBLE,  // missing is NaN
    COLUMN_INT,     // int64_t; times are milliseconds since 1970
    COLUMN_BOOL,    // 0 or 1, held as int64_t
    COLUMN_TEXT,    // UTF-8
};

struct column {
    char *name;
    enum column_type type;
    union {
        double *doubles;  // COLUMN_DOUBLE
        int64_t *ints;    // COLUMN_INT, COLUMN_BOOL
        size_t
            *ends;  // COLUMN_TEXT: text of row i is bytes[ends[i-1] .. ends[i]), ends[-1] = 0
    };
    char *bytes;  // COLUMN_TEXT
    size_t bytes_capacity;
    size_t filled;     // COLUMN_TEXT: rows whose end is final
    uint8_t *missing;  // one byte a row, 1 = no value; NULL when every row has one
};

struct frame;

/* Creates a frame of no rows and no columns; frame_free() frees it. NULL when memory runs out.
 */
struct frame *frame_new(void);
void frame_free(struct frame *f);

size_t frame_rows(const struct frame *f);
size_t frame_columns(const struct frame *f);

/* Adds a column that has no value in every row so far. Returns its position in *at.
 * STATUS_CONFLICT when a column of that name exists, STATUS_NO_MEMORY. */
enum status frame_add_column(struct frame *f, const char *name, enum column_type type,
                             size_t *at, struct error *err);

/* The column at a position (asserts that it exists), or by name (NULL when there is none).
 * The pointer is good until the next frame_add_column(); its arrays until the next row. */
struct column *frame_column(struct frame *f, size_t at);
const struct column *frame_column_const(const struct frame *f, size_t at);
struct column *frame_find(const struct frame *f, const char *name);
/* The position of the column of a name in *at; false when there is none. */
bool frame_position(const struct frame *f, const char *name, size_t *at);

/* Appends `count` rows without values. STATUS_NO_MEMORY leaves the frame as it was. */
enum status frame_append(struct frame *f, size_t count, struct error *err);

/* Sets one value. The texts of a column are set in row order; rows passed over have none. */
void frame_set_double(struct frame *f, size_t at, size_t row, double value);
void frame_set_int(struct frame *f, size_t at, size_t row, int64_t value);
enum status frame_set_text(struct frame *f, size_t at, size_t row, const char *text,
                           size_t size, struct error *err);

/* Takes every value of a column away, so that it can be set anew. */
void frame_clear_column(struct frame *f, size_t at);

/* Appends the rows of `other`, another frame with the same columns in
 * any order (STATUS_INVALID when they differ).
 * STATUS_NO_MEMORY may leave rows without values. */
enum status frame_concat(struct frame *f, const struct frame *other, struct error *err);

/* Keeps the rows at these positions, in this order. STATUS_NO_MEMORY leaves the frame as it
 * was.
 */
enum status frame_take(struct frame *f, const size_t *rows, size_t count, struct error *err);

/* Whether a row has no value in the column. */
bool column_missing(const struct column *c, size_t row);
/* The text of a row; *size is its length in bytes; not zero-terminated. NULL when missing. */
const char *column_text(const struct column *c, size_t row, size_t *size);

#endif
