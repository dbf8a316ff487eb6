/* job/kind.h - the models of what is no numeric series: times of day or week, and places. One
 * belongs to one feature of one series, or of a population. What rare looks at is in rarity.h.
 * A bucket that has nothing of it needs no call: the next one ages the model over it. */
#ifndef BLIP_JOB_KIND_H
#define BLIP_JOB_KIND_H

#include "job/feature.h"
#include "model/pack.h"
#include "model/place.h"
#include "model/time_of.h"

struct kind {
    enum statistic statistic;  // STATISTIC_TIME or STATISTIC_LOCATION
    int64_t last_s;            // start of the last bucket that it learnt; INT64_MIN = none
    union {
        struct time_of time_of;
        struct place place;
    };
};

/* Whether a feature has a model of this sort. */
static inline bool kind_has(const struct feature *f) {
    return f->statistic == STATISTIC_TIME || f->statistic == STATISTIC_LOCATION;
}

/* Creates the model of a feature; free() frees it. NULL when memory runs out. */
struct kind *kind_new(const struct feature *f);

/* Ages the model over the buckets since the last one, before it learns this one. */
void kind_begin(struct kind *k, int64_t bucket_s, int64_t bucket_span_s);

void kind_save(const struct kind *k, struct pack *to);
/* Reads a model of the same feature. STATUS_INVALID, STATUS_NO_MEMORY. */
enum status kind_load(const struct feature *f, struct unpack *from, struct kind **out,
                      struct error *err);

#endif
