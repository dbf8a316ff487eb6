/* base/date.h - reads dates in the formats that mappings and jobs name.
 * A format is alternatives joined by "||", each a name of Elasticsearch's list
 * (date_optional_time, epoch_millis, basic_date, ...) or a pattern of Java's letters
 * ("yyyy/MM/dd HH:mm:ss"). Dates without an offset are UTC. */
#ifndef BLIP_BASE_DATE_H
#define BLIP_BASE_DATE_H

#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATE_DEFAULT_FORMAT "strict_date_optional_time||epoch_millis"

struct date_format;

/* Compiles a format. STATUS_INVALID names the letter or the name that is not known. */
enum status date_format_new(const char *text, size_t size, struct date_format **out,
                            struct error *err);
void date_format_free(struct date_format *f);  // NULL is fine

/* Reads a date; *ms is milliseconds since 1970, finer fractions cut off. NULL = the default
 * format. False when no alternative matches the whole text. */
bool date_parse(const struct date_format *f, const char *text, size_t size, int64_t *ms);

/* Whether dynamic mapping takes a text for a date, and the format that the new field gets
 * (NULL: the default one). */
bool date_detect(const char *text, size_t size, const char **format);

#endif
