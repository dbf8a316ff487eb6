/* job/record_time.h - the time of a record, by the job's time_format.
 *     epoch      seconds since 1970, a number or a text, fractions too
 *     epoch_ms   milliseconds since 1970
 *     pattern    of Java's letters, "yyyy-MM-dd HH:mm:ssX"; without a zone: UTC
 * Source: elastic-ml.md 3.5. */
#ifndef BLIP_JOB_RECORD_TIME_H
#define BLIP_JOB_RECORD_TIME_H

#include "base/error.h"
#include "job/record.h"
#include <stdbool.h>
#include <stdint.h>

// 0001-01-01 to the end of 9999, UTC: what lies outside is no time of a record.
#define RECORD_TIME_MIN_MS INT64_C(-62135596800000)
#define RECORD_TIME_MAX_MS INT64_C(253402300799999)

struct record_time;

/* STATUS_INVALID: "Invalid Time format string '...'". */
enum status record_time_new(const char *format, struct record_time **out, struct error *err);
void record_time_free(struct record_time *t);  // NULL is fine

/* Milliseconds since 1970; false when the value is no time. */
bool record_time_read(const struct record_time *t, const struct record_value *value,
                      int64_t *ms);

#endif
