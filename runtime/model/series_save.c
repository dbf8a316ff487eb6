/* model/series_save.c - a series as bytes; see series.h. */
#include "model/series_state.h"

#include <math.h>
#include <stdlib.h>

enum { COUNT = 1, NON_NEGATIVE = 2, POPULATION = 4, BORN = 8, NEGATIVE = 16, FLAGS = 31 };

static uint8_t flags_of(const struct series *s) {
    return (uint8_t)((s->options.count ? COUNT : 0) |
                     (s->options.non_negative ? NON_NEGATIVE : 0) |
                     (s->options.population ? POPULATION : 0) | (s->born ? BORN : 0) |
                     (s->negative ? NEGATIVE : 0));
}

void series_save(const struct series *s, struct pack *p) {
    pack_u64(p, (uint64_t)s->options.bucket_span_s);
    pack_u8(p, (uint8_t)s->options.watched);
    pack_u8(p, flags_of(s));
    pack_u64(p, (uint64_t)s->first);
    pack_u64(p, (uint64_t)s->last);
    pack_f64(p, s->buckets);
    pack_f64(p, s->filled);
    residual_save(&s->residual, p);
    if (!s->options.population) multi_bucket_save(&s->multi, p);
    anomaly_model_save(&s->anomaly, p);
    decay_save(&s->trend_decay, p);
    decay_save(&s->residual_decay, p);
    decomposition_save(s->expected, p);
}

/* All but the decomposition. Returns false when the bytes are no series. */
static bool load_parts(struct series *s, struct unpack *u) {
    s->options.bucket_span_s = (int64_t)unpack_u64(u);
    uint8_t watched = unpack_u8(u), flags = unpack_u8(u);
    if (s->options.bucket_span_s <= 0 || watched > TAIL_ABOVE || flags > FLAGS) return false;
    s->options.watched = (enum tail)watched;
    s->options.count = flags & COUNT;
    s->options.non_negative = flags & NON_NEGATIVE;
    s->options.population = flags & POPULATION;
    s->born = flags & BORN;
    s->negative = flags & NEGATIVE;
    s->first = (int64_t)unpack_u64(u);
    s->last = (int64_t)unpack_u64(u);
    s->buckets = unpack_finite(u);
    s->filled = unpack_finite(u);
    if (s->buckets < 0 || s->filled < 0 || s->last < s->first) return false;
    s->multi = multi_bucket_new();
    if (!residual_load(u, &s->residual)) return false;
    if (!s->options.population && !multi_bucket_load(u, &s->multi)) return false;
    return anomaly_model_load(u, &s->anomaly) && decay_load(u, &s->trend_decay) &&
           decay_load(u, &s->residual_decay);
}

enum status series_load(struct unpack *u, struct series **out, struct error *err) {
    struct series *s = calloc(1, sizeof *s);
    if (!s) return fail(err, STATUS_NO_MEMORY, "no memory for a series");
    enum status status = load_parts(s, u)
                             ? decomposition_load(u, &s->expected, err)
                             : fail(err, STATUS_INVALID, "the bytes are no series");
    if (status == STATUS_OK) {
        *out = s;
        return status;
    }
    series_free(s);
    return status;
}
