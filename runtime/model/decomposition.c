/* model/decomposition.c - see decomposition.h. */
#include "model/decomposition.h"

#include <math.h>
#include <stdlib.h>

struct decomposition {
    int64_t bucket_span_s;
    double decay;   // multiplier of all decay rates
    double age_s;   // time that passed since the last value, not yet applied
    double lowest;  // smallest value so far; infinite before the first
};

struct decomposition *decomposition_new(int64_t bucket_span_s) {
    struct decomposition *d = calloc(1, sizeof *d);
    if (!d) return NULL;
    d->bucket_span_s = bucket_span_s;
    d->decay = 1;
    d->lowest = INFINITY;
    return d;
}

void decomposition_free(struct decomposition *d) { free(d); }

struct expected decomposition_predict(const struct decomposition *d, double time_s,
                                      double confidence) {
    (void)d, (void)time_s, (void)confidence;
    return (struct expected){0, 0, 0};
}

double decomposition_scale(const struct decomposition *d, double time_s, double variance,
                           double floor) {
    (void)d, (void)time_s, (void)variance;
    return fmax(1, floor);
}

bool decomposition_learn(struct decomposition *d, double time_s, double value, double weight,
                         double outlier, struct decomposition_news *news) {
    (void)time_s, (void)weight, (void)outlier;
    news->relearn = news->seasonal = false;
    news->count = news->texts = 0;
    d->lowest = fmin(d->lowest, value);
    d->age_s = 0;
    return true;
}

void decomposition_age(struct decomposition *d, double seconds) { d->age_s += seconds; }

void decomposition_set_decay(struct decomposition *d, double multiplier) {
    d->decay = multiplier;
}

double decomposition_derate(const struct decomposition *d, double time_s) {
    (void)d, (void)time_s;
    return 0;
}

void decomposition_shift_time(struct decomposition *d, double seconds) {
    (void)d, (void)seconds;
}

size_t decomposition_components(const struct decomposition *d) {
    (void)d;
    return 0;
}

size_t decomposition_bytes(const struct decomposition *d) { return sizeof *d; }

void decomposition_save(const struct decomposition *d, struct pack *p) {
    pack_u64(p, (uint64_t)d->bucket_span_s);
    pack_f64(p, d->decay);
    pack_f64(p, d->age_s);
    pack_f64(p, d->lowest);
}

enum status decomposition_load(struct unpack *u, struct decomposition **out,
                               struct error *err) {
    *out = NULL;
    int64_t span = (int64_t)unpack_u64(u);
    if (u->failed || span <= 0)
        return fail(err, STATUS_INVALID, "a decomposition's bucket span is %lld s",
                    (long long)span);
    struct decomposition *d = decomposition_new(span);
    if (!d) return fail(err, STATUS_NO_MEMORY, "no memory for a decomposition");
    d->decay = unpack_f64(u);
    d->age_s = unpack_f64(u);
    d->lowest = unpack_f64(u);
    if (u->failed || !(d->decay > 0) || !(d->age_s >= 0)) {
        decomposition_free(d);
        return fail(err, STATUS_INVALID, "a decomposition's bytes are damaged");
    }
    *out = d;
    return STATUS_OK;
}
