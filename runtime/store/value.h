/* store/value.h - one JSON scalar into the column of a field, coerced as Elasticsearch does. */
#ifndef BLIP_STORE_VALUE_H
#define BLIP_STORE_VALUE_H

#include "store/batch.h"

/* A scalar that was read; the text of a number is its digits, of a boolean its word. */
struct scalar {
    enum json_kind kind;  // JSON_BOOL, JSON_NUMBER or JSON_STRING
    bool boolean;
    bool stable;  // the text lives as long as the batch
    struct json_number number;
    const char *text;
    size_t size;
};

enum status scalar_read(struct json *v, struct scalar *out, struct error *err);

/* The type that dynamic mapping gives to a field with this value; *format is that of a date
 * (NULL: the default). */
enum field_type scalar_type(const struct mapping *m, const struct scalar *s,
                            const char **format);

/* Why a value does not fit. */
struct misfit {
    const char *type;  // Elasticsearch's exception
    char reason[ERROR_REASON_SIZE];
    bool with_cause;  // caused by date_time_parse_exception
};

/* Adds the value to the current row. STATUS_INVALID fills misfit; the row is unchanged. */
enum status value_add(struct batch *b, struct field *f, const struct scalar *s,
                      struct misfit *misfit, struct error *err);

#endif
