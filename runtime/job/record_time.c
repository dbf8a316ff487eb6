/* job/record_time.c - see record_time.h. */
#include "job/record_time.h"

#include "base/date.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct record_time {
    double scale_ms;           // of one unit of an epoch; 0: a pattern
    struct date_format *date;  // the pattern
};

enum status record_time_new(const char *format, struct record_time **out, struct error *err) {
    struct record_time *t = calloc(1, sizeof *t);
    if (!t) return fail(err, STATUS_NO_MEMORY, "no memory for a time format");
    t->scale_ms = strcmp(format, "epoch") == 0 ? 1000 : strcmp(format, "epoch_ms") == 0 ? 1 : 0;
    if (t->scale_ms == 0 &&
        date_format_new(format, strlen(format), &t->date, NULL) != STATUS_OK) {
        free(t);
        return fail(err, STATUS_INVALID, "Invalid Time format string '%s'", format);
    }
    *out = t;
    return STATUS_OK;
}

void record_time_free(struct record_time *t) {
    if (!t) return;
    date_format_free(t->date);
    free(t);
}

static bool in_range(int64_t ms) {
    return ms >= RECORD_TIME_MIN_MS && ms <= RECORD_TIME_MAX_MS;
}

bool record_time_read(const struct record_time *t, const struct record_value *value,
                      int64_t *ms) {
    if (value->kind == RECORD_ABSENT) return false;
    if (t->date) return date_parse(t->date, value->text, value->size, ms) && in_range(*ms);
    if (value->kind == RECORD_INTEGER && t->scale_ms == 1) {
        *ms = value->integer;
        return in_range(*ms);
    }
    double number;
    if (!record_number(value, &number)) return false;
    number = floor(number * t->scale_ms + 1e-4);  // 0.001 s is not quite a millisecond
    if (!(number >= (double)RECORD_TIME_MIN_MS && number <= (double)RECORD_TIME_MAX_MS))
        return false;
    *ms = (int64_t)number;
    return true;
}
