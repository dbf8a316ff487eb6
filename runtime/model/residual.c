/* model/residual.c - see residual.h. */
#include "model/residual.h"

#include <math.h>

struct residual residual_new(bool count) {
    return (struct residual){.normal = normal_new(), .integer = count};
}

bool residual_informed(const struct residual *r) { return normal_informed(&r->normal); }

void residual_learn(struct residual *r, const struct family_sample *samples, size_t count) {
    for (size_t i = 0; i < count && r->integer; i++)
        if (samples[i].value != floor(samples[i].value)) {
            normal_drop_integer(&r->normal);
            r->integer = false;
        }
    if (count > 0) (void)normal_learn(&r->normal, samples, count, r->integer);
}

void residual_age(struct residual *r, double keep) { normal_age(&r->normal, keep); }

double residual_probability(const struct residual *r, double x, double seasonal_scale,
                            double count_scale, enum tail watched, enum tail *tail) {
    struct family_scale s = {seasonal_scale, count_scale, r->integer};
    if (tail) *tail = TAIL_BOTH;
    if (!residual_informed(r)) return 1;
    struct tails t = normal_tails(&r->normal, x, &s);
    if (tail) *tail = t.below < t.above ? TAIL_BELOW : TAIL_ABOVE;
    return family_doubled(t, watched);
}

double residual_quantile(const struct residual *r, double p, double seasonal_scale,
                         double count_scale) {
    struct family_scale s = {seasonal_scale, count_scale, r->integer};
    return residual_informed(r) ? normal_quantile(&r->normal, p, &s) : residual_mean(r);
}

double residual_mean(const struct residual *r) { return normal_mean(&r->normal, r->integer); }
double residual_variance(const struct residual *r) { return normal_variance(&r->normal); }

void residual_save(const struct residual *r, struct pack *p) {
    pack_f64(p, r->normal.mean);
    pack_f64(p, r->normal.precision);
    pack_f64(p, r->normal.shape);
    pack_f64(p, r->normal.rate);
    pack_u8(p, r->integer);
}

bool residual_load(struct unpack *u, struct residual *out) {
    out->normal = (struct normal){unpack_f64(u), 0, 0, 0};
    out->normal.precision = unpack_f64(u);
    out->normal.shape = unpack_f64(u);
    out->normal.rate = unpack_f64(u);
    out->integer = unpack_u8(u) != 0;
    return !u->failed;
}
