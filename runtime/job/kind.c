/* job/kind.c - see kind.h. */
#include "job/kind.h"

#include <math.h>
#include <stdlib.h>

#define DECAY 0.0005  // per half hour, and per bucket that is longer
#define HALF_HOUR_S 1800.0

struct kind *kind_new(const struct feature *f) {
    struct kind *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    k->statistic = f->statistic;
    k->last_s = INT64_MIN;
    if (f->statistic == STATISTIC_TIME)
        time_of_start(&k->time_of, f->period_s);
    else
        place_start(&k->place);
    return k;
}

void kind_begin(struct kind *k, int64_t bucket_s, int64_t bucket_span_s) {
    if (k->last_s != INT64_MIN) {
        double span_s = (double)bucket_span_s;
        double buckets = fmax(((double)bucket_s - (double)k->last_s) / span_s, 0);
        double keep = exp(-DECAY * fmin(span_s / HALF_HOUR_S, 1) * buckets);
        if (k->statistic == STATISTIC_TIME)
            time_of_age(&k->time_of, keep);
        else
            place_age(&k->place, keep);
    }
    k->last_s = bucket_s;
}

void kind_save(const struct kind *k, struct pack *to) {
    pack_u64(to, (uint64_t)k->last_s);
    if (k->statistic == STATISTIC_TIME)
        time_of_save(&k->time_of, to);
    else
        place_save(&k->place, to);
}

enum status kind_load(const struct feature *f, struct unpack *from, struct kind **out,
                      struct error *err) {
    struct kind *k = kind_new(f);
    if (!k) return fail(err, STATUS_NO_MEMORY, "no memory for a model");
    k->last_s = (int64_t)unpack_u64(from);
    enum status status = k->statistic == STATISTIC_TIME ? time_of_load(&k->time_of, from, err)
                                                        : place_load(&k->place, from, err);
    if (status != STATUS_OK) {
        free(k);
        return status;
    }
    *out = k;
    return STATUS_OK;
}
