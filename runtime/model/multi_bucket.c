/* model/multi_bucket.c - see multi_bucket.h. */
#include "model/multi_bucket.h"

#include "model/outlier.h"
#include <float.h>
#include <math.h>
#include <string.h>

static const double FADE = 0.9;  // weight per step back
// Neighbouring means share most of their buckets: of each so much is news.
static const double INDEPENDENT = 1 - 0.9 * 0.9;
// Variance of the mean of twelve independent values: sum of squared weights, their sum being 1.
static const double OF_VARIANCE = 0.0939;
static const size_t ENOUGH = 9;  // three quarters of the window

struct multi_bucket multi_bucket_new(void) {
    return (struct multi_bucket){.residual = residual_new(false, false)};
}

static size_t slot(int64_t number) {
    int64_t rest = number % MULTI_BUCKETS;
    return (size_t)(rest < 0 ? rest + MULTI_BUCKETS : rest);
}

void multi_bucket_add(struct multi_bucket *m, int64_t number, double value, double weight) {
    int64_t gap = number - m->newest;
    if (gap < 0 || gap > MULTI_BUCKETS) gap = MULTI_BUCKETS;
    for (int64_t i = 1; i < gap; i++)
        m->weight[slot(number - i)] = 0;
    m->newest = number;
    m->value[slot(number)] = value;
    m->weight[slot(number)] = (float)weight;
}

struct multi_mean multi_bucket_mean(const struct multi_bucket *m) {
    double fade = 1, sum = 0, total = 0;
    struct multi_mean mean = {0, 0};
    size_t at = slot(m->newest);
    for (size_t j = 0; j < MULTI_BUCKETS; j++, fade *= FADE) {
        double weight = fade * (double)m->weight[at];
        mean.count += weight > 0;
        sum += weight * m->value[at];
        total += weight;
        at = at == 0 ? MULTI_BUCKETS - 1 : at - 1;
    }
    if (mean.count < ENOUGH) return (struct multi_mean){0, 0};
    mean.value = sum / total;
    return mean;
}

void multi_bucket_clear(struct multi_bucket *m) { memset(m->weight, 0, sizeof m->weight); }

void multi_bucket_learn(struct multi_bucket *m, double weight, double derate) {
    struct multi_mean mean = multi_bucket_mean(m);
    if (mean.count == 0) return;
    struct family_sample sample = {mean.value, weight * INDEPENDENT, 1};
    if (residual_informed(&m->residual)) {
        struct residual_scale usual = {1, 1};
        double tail = residual_tail(&m->residual, mean.value, usual, OUTLIER_TAIL);
        if (tail < OUTLIER_TAIL) sample.weight *= outlier_weight(tail, derate);
    }
    residual_learn(&m->residual, &sample, 1);
}

double multi_bucket_probability(const struct multi_bucket *m, double mean, double variance,
                                enum tail watched) {
    if (!residual_informed(&m->residual)) return 1;
    double least = OF_VARIANCE * variance, seen = residual_variance(&m->residual);
    bool wider = isfinite(least) && least > seen;
    struct residual_scale scale = {1, wider ? least / seen : 1};
    struct tails t = residual_tails(&m->residual, mean, scale);
    return family_doubled(t, watched);
}

double multi_bucket_impact(double ln_single, double ln_multi) {
    static const double LARGEST = 5, LN_1000 = 6.90775527898213705;
    double ratio = fmin(ln_single, ln_multi) / fmin(fmax(ln_single, ln_multi), -0.001);
    double impact = LARGEST * ratio / LN_1000 * (ln_single - ln_multi);
    impact = fmin(fmax(impact, -LARGEST), LARGEST);
    return floor(100 * impact + 1e-9) / 100;  // 1e-9: 2.5 stays 2.5 when it comes as 2.4999...
}

void multi_bucket_save(const struct multi_bucket *m, struct pack *p) {
    for (size_t i = 0; i < MULTI_BUCKETS; i++) {
        pack_f64(p, m->value[i]);
        pack_f64(p, (double)m->weight[i]);
    }
    pack_u64(p, (uint64_t)m->newest);
    residual_save(&m->residual, p);
}

bool multi_bucket_load(struct unpack *u, struct multi_bucket *out) {
    for (size_t i = 0; i < MULTI_BUCKETS; i++) {
        out->value[i] = unpack_finite(u);
        double weight = unpack_finite(u);
        if (weight < 0 || weight > FLT_MAX) u->failed = true;
        out->weight[i] = u->failed ? 0 : (float)weight;
    }
    out->newest = (int64_t)unpack_u64(u);
    return !u->failed && residual_load(u, &out->residual);
}
