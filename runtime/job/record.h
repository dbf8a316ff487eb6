/* job/record.h - reads posted bodies: one record after the other, the job's fields out of each.
 *
 *     {"time":1403481600,"host":{"name":"a"},"took":[1,2]}
 *         ─▶  time = 1403481600   host.name = "a"   took = "1,2"      3 fields seen
 *
 * JSON comes as lines, as objects one behind the other, or as one array of objects; delimited
 * bodies begin with a line that names the fields. Nested objects become dotted names, arrays of
 * scalars are joined with commas, arrays of objects are passed over, null is empty text.
 * Source: elastic-ml.md 7.3. */
#ifndef BLIP_JOB_RECORD_H
#define BLIP_JOB_RECORD_H

#include "base/error.h"
#include "job/field.h"

#define RECORD_SIZE_MAX ((size_t)32 << 20)  // bytes of one record; longer ones are malformed
#define RECORD_FAILURES_MAX 100             // malformed objects that a body may have

enum record_kind {
    RECORD_ABSENT,
    RECORD_TEXT,     // text alone is known
    RECORD_NUMBER,   // number too
    RECORD_INTEGER,  // number and integer too
};

struct record_value {
    enum record_kind kind;
    const char *text;  // as sent, unescaped; not terminated
    size_t size;
    double number;
    int64_t integer;
};

struct record {
    struct record_value *values;  // [fields->count], values[0] the time
    size_t seen;                  // fields that the record has, known or not
};

struct record_reader;

/* The fields must outlive the reader. NULL when memory runs out. */
struct record_reader *record_reader_new(const struct fields *fields);
void record_reader_free(struct record_reader *r);  // NULL is fine

/* Takes one record; it and its texts are good until it returns. */
typedef enum status record_fn(void *context, const struct record *record, struct error *err);

/* Gives every record of a body to `use`, in order. A malformed object is passed over; after
 * RECORD_FAILURES_MAX of them STATUS_INVALID "The input JSON data is malformed.". A status of
 * `use` that is not STATUS_OK ends the walk. */
enum status record_read_json(struct record_reader *r, const char *body, size_t size,
                             record_fn *use, void *context, struct error *err);

/* The same for delimited lines. A quoted value may hold delimiters, line ends and doubled
 * quotes. STATUS_INVALID when the first line does not name the time field. */
enum status record_read_delimited(struct record_reader *r, const char *body, size_t size,
                                  char delimiter, char quote, record_fn *use, void *context,
                                  struct error *err);

/* A value as a finite number; false when it is none. */
bool record_number(const struct record_value *value, double *number);

/* A value that is text alone. */
static inline struct record_value record_text(const char *text, size_t size) {
    return (struct record_value){.kind = RECORD_TEXT, .text = text, .size = size};
}

#endif
