/* model/series.c - see series.h. */
#include "model/series.h"

#include "model/residual.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double DECAY = 0.0005;           // per reference bucket
static const double REFERENCE_SPAN_S = 1800;  // the bucket that rates refer to
static const double INTERVAL = 0.5;           // confidence of the seasonal interval for p

struct series {
    struct series_options options;
    struct decomposition *expected;
    struct residual residual;
    int64_t first_s, last_s;  // buckets that had a sample
    bool born;
    bool negative;  // a value below 0 was seen
};

struct series *series_new(const struct series_options *options) {
    struct series *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->options = *options;
    s->residual = residual_new(options->count, true);
    s->expected = decomposition_new(options->bucket_span_s);
    if (s->expected) return s;
    free(s);
    return NULL;
}

void series_free(struct series *s) {
    if (!s) return;
    decomposition_free(s->expected);
    free(s);
}

// --- learning --------------------------------------------------------------------------------

/* Share of a reference bucket: a short bucket teaches and fades less. */
static double reference_share(const struct series *s) {
    return fmin((double)s->options.bucket_span_s / REFERENCE_SPAN_S, 1);
}

bool series_learn(struct series *s, const struct series_bucket *bucket,
                  struct decomposition_news *news) {
    news->relearn = news->seasonal = false;
    news->count = news->texts = 0;
    if (bucket->count == 0) return true;
    if (!s->born) s->first_s = bucket->start_s;
    s->born = true;
    s->last_s = bucket->start_s;
    double rate = reference_share(s) * bucket->weight;
    bool whole = true;
    for (size_t i = 0; i < bucket->count; i++) {
        const struct series_sample *sample = &bucket->samples[i];
        s->negative |= sample->value < 0;
        whole &= decomposition_learn(s->expected, sample->time_s, sample->value,
                                     rate * sample->weight, 1, news);
        double mean = decomposition_predict(s->expected, sample->time_s, 0).mean;
        struct family_sample residual = {sample->value - mean, rate * sample->weight, 1};
        residual_learn(&s->residual, &residual, 1);
    }
    if (bucket->ageless) return whole;
    residual_age(&s->residual, exp(-DECAY * reference_share(s)));
    decomposition_age(s->expected, (double)s->options.bucket_span_s);
    return whole;
}

void series_shift_time(struct series *s, double seconds) {
    decomposition_shift_time(s->expected, seconds);
}

// --- asking ----------------------------------------------------------------------------------

bool series_knows(const struct series *s) { return residual_informed(&s->residual); }

static double seasonal_scale(const struct series *s, double time_s) {
    double variance = residual_variance(&s->residual);
    if (!isfinite(variance) || variance <= 0) return 1;
    return decomposition_scale(s->expected, time_s, variance, s->options.population ? 1 : 0.4);
}

/* What is left of a value: 0 inside the interval of what is expected. */
static double residual_of(const struct series *s, double time_s, double value) {
    struct expected e = decomposition_predict(s->expected, time_s, INTERVAL);
    return fmin(value - e.lower, 0) + fmax(value - e.upper, 0);
}

static double ln_probability(double p) { return log(fmin(fmax(p, DBL_MIN), 1)); }

void series_score(struct series *s, const struct series_question *q, struct series_verdict *v) {
    *v = (struct series_verdict){.value = q->value};
    v->seasonal_scale = seasonal_scale(s, q->time_s);
    double p = residual_probability(&s->residual, residual_of(s, q->time_s, q->value),
                                    (struct residual_scale){v->seasonal_scale, q->count_scale},
                                    s->options.watched, &v->tail);
    v->ln_single = v->ln_probability = ln_probability(p);
    v->probability = exp(v->ln_probability);
}

double series_ln_tail(const struct series *s, double time_s, double value, double count_scale,
                      enum tail tail) {
    return ln_probability(residual_probability(
        &s->residual, residual_of(s, time_s, value),
        (struct residual_scale){seasonal_scale(s, time_s), count_scale}, tail, NULL));
}

static double support(const struct series *s, double value) {
    return s->negative ? value : fmax(value, 0);
}

struct series_bounds series_bounds(const struct series *s, double time_s, double count_scale,
                                   double confidence) {
    double mean = decomposition_predict(s->expected, time_s, 0).mean;
    double scale = seasonal_scale(s, time_s), out = (1 - confidence) / 2;
    const double p[] = {out, 0.5, 1 - out};
    double x[3];
    for (size_t i = 0; i < 3; i++)
        x[i] =
            support(s, mean + residual_quantile(&s->residual, p[i],
                                                (struct residual_scale){scale, count_scale}));
    return (struct series_bounds){x[0], x[1], x[2]};
}

double series_typical(const struct series *s, double time_s) {
    double mean = decomposition_predict(s->expected, time_s, 0).mean;
    return support(s,
                   mean + residual_quantile(&s->residual, 0.5, (struct residual_scale){1, 1}));
}

void series_explain(const struct series *s, const struct series_question *q,
                    const struct series_verdict *v, struct series_explanation *e) {
    *e = (struct series_explanation){.typical = series_typical(s, q->time_s)};
    e->lower = e->upper = e->typical_value = NAN;
    if (!(v->probability < 0.05)) return;
    struct series_bounds bounds = series_bounds(s, q->time_s, q->count_scale, 0.95);
    e->lower = bounds.lower;
    e->upper = bounds.upper;
    e->typical_value = e->typical;
    e->single_bucket_impact = (int)round(-v->ln_single / log(10));
    e->type = v->tail;
    e->length = 1;
}

// --- keeping ---------------------------------------------------------------------------------

size_t series_bytes(const struct series *s) {
    return sizeof *s + decomposition_bytes(s->expected);
}

int64_t series_last_s(const struct series *s) { return s->last_s; }

void series_save(const struct series *s, struct pack *p) {
    pack_u64(p, (uint64_t)s->options.bucket_span_s);
    pack_u8(p, (uint8_t)s->options.watched);
    pack_u8(p, s->options.count);
    pack_u8(p, s->options.non_negative);
    pack_u8(p, s->options.population);
    pack_u64(p, (uint64_t)s->first_s);
    pack_u64(p, (uint64_t)s->last_s);
    pack_u8(p, s->born);
    pack_u8(p, s->negative);
    residual_save(&s->residual, p);
    decomposition_save(s->expected, p);
}

enum status series_load(struct unpack *u, struct series **out, struct error *err) {
    struct series_options options = {.bucket_span_s = (int64_t)unpack_u64(u)};
    options.watched = (enum tail)unpack_u8(u);
    options.count = unpack_u8(u) != 0;
    options.non_negative = unpack_u8(u) != 0;
    options.population = unpack_u8(u) != 0;
    struct series *s = calloc(1, sizeof *s);
    if (!s) return fail(err, STATUS_NO_MEMORY, "no memory for a series");
    s->options = options;
    s->first_s = (int64_t)unpack_u64(u);
    s->last_s = (int64_t)unpack_u64(u);
    s->born = unpack_u8(u) != 0;
    s->negative = unpack_u8(u) != 0;
    enum status status = STATUS_OK;
    if (!residual_load(u, &s->residual) || options.bucket_span_s <= 0 ||
        options.watched > TAIL_ABOVE)
        status = fail(err, STATUS_INVALID, "the bytes are no series");
    if (status == STATUS_OK) status = decomposition_load(u, &s->expected, err);
    if (status == STATUS_OK)
        *out = s;
    else
        series_free(s);
    return status;
}
