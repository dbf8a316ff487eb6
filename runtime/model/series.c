/* model/series.c - a series learns; see series.h. */
#include "model/series_state.h"

#include "model/outlier.h"
#include "model/population.h"
#include <math.h>
#include <stdlib.h>

static const double DECAY = 0.0005;           // per reference bucket
static const double REFERENCE_SPAN_S = 1800;  // the bucket that rates refer to
static const double YOUNG_S = 3 * 7 * 86400;  // outliers are believed more at first
static const double FLOOR_ONE = 0.4, FLOOR_POPULATION = 1;  // of the seasonal scale

static void start_anew(struct series *s) {
    s->multi = multi_bucket_new();
    s->anomaly = anomaly_model_new();
    s->trend_decay = s->residual_decay = decay_new();
}

struct series *series_new(const struct series_options *options) {
    struct series *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->options = *options;
    s->residual = residual_new(options->count, true);
    start_anew(s);
    s->expected = decomposition_new(options->bucket_span_s);
    if (s->expected) return s;
    free(s);
    return NULL;
}

void series_free(struct series *s) {
    if (!s) return;
    if (s->expected) decomposition_free(s->expected);
    free(s);
}

const struct series_options *series_options(const struct series *s) { return &s->options; }

/* Share of a reference bucket: a short bucket teaches and fades less. */
static double share(const struct series *s) {
    return fmin((double)s->options.bucket_span_s / REFERENCE_SPAN_S, 1);
}

double series_rate(const struct series *s) { return DECAY * share(s); }

double series_scale(const struct series *s, double time_s) {
    if (decomposition_components(s->expected) == 0) return 1;
    double variance = residual_variance(&s->residual);
    if (!isfinite(variance) || variance <= 0) return 1;
    return decomposition_scale(s->expected, time_s, variance,
                               s->options.population ? FLOOR_POPULATION : FLOOR_ONE);
}

// --- ageing ----------------------------------------------------------------------------------

/* Lets `buckets` buckets pass. Sparse series forget slowly. */
static void age(struct series *s, double buckets) {
    double occupied = s->buckets > 0 ? s->filled / s->buckets : 1;
    double slow = fmin(fmax(2 * occupied, 1e-6), 1), passed = buckets * slow;
    double rate = series_rate(s) * decay_multiplier(&s->residual_decay);
    double age_s = (double)(s->last - s->first) * (double)s->options.bucket_span_s;
    if (s->options.population) rate *= population_haste(age_s);
    residual_age(&s->residual, exp(-rate * passed));
    if (!s->options.population) residual_age(&s->multi.residual, exp(-series_rate(s) * passed));
    decomposition_age(s->expected, (double)s->options.bucket_span_s * passed);
}

/* Counts a bucket with samples and the empty ones since the last, which age the series. */
static void enter(struct series *s, int64_t number) {
    if (!s->born) {
        s->born = true;
        s->first = s->last = number;
        s->buckets = s->filled = 1;
        return;
    }
    double gap = fmax((double)(number - s->last), 0), rate = series_rate(s);
    double keep = exp(-rate * gap);
    s->buckets = s->buckets * keep + (gap > 1 ? -expm1(-rate * gap) / -expm1(-rate) : gap);
    s->filled = s->filled * keep + fmin(gap, 1);
    if (gap > 1) age(s, gap - 1);
    if (number > s->last) s->last = number;
}

// --- learning --------------------------------------------------------------------------------

/* In [0, 1]: how far outliers are believed, because the series is young or has changed. */
static double derate(const struct series *s, double time_s) {
    double age_s = time_s - (double)s->first * (double)s->options.bucket_span_s;
    return fmax(fmax(1 - age_s / YOUNG_S, 0), decomposition_derate(s->expected, time_s));
}

/* The mean of a bucket's samples, by their weights and by how far each is believed. */
struct digest {
    double time_s, value;  // means
    double weight, trust;  // sum of the weights; mean outlier weight
};

static double trust_in(const struct series *s, const struct series_sample *sample,
                       double value) {
    double mean = decomposition_predict(s->expected, sample->time_s, 0).mean;
    struct residual_scale scale = {series_scale(s, sample->time_s), 1};
    if (!residual_informed(&s->residual)) return 1;
    double tail = residual_tail(&s->residual, value - mean, scale, OUTLIER_TAIL);
    return tail >= OUTLIER_TAIL ? 1 : outlier_weight(tail, derate(s, sample->time_s));
}

static struct digest digest(struct series *s, const struct series_bucket *bucket) {
    struct digest d = {0, 0, 0, 0};
    for (size_t i = 0; i < bucket->count; i++) {
        const struct series_sample *sample = &bucket->samples[i];
        double value = series_cut(sample->value);
        double trusted = sample->weight * trust_in(s, sample, value);
        s->negative |= value < 0;
        d.weight += sample->weight;
        d.trust += trusted;
        d.time_s += trusted * sample->time_s;
        d.value += trusted * value;
    }
    d.time_s /= d.trust;
    d.value /= d.trust;
    d.trust /= d.weight;
    return d;
}

/* Learns how means of twelve buckets are distributed from the residuals of a window, whose
 * values may stand for several buckets each. */
static void relearn_window(struct series *s, const struct decomposition_news *news) {
    double span = (double)s->options.bucket_span_s;
    s->multi = multi_bucket_new();
    if (s->options.population || news->count < 2) return;
    double first_s = news->residuals[0].time_s;
    double step_s =
        (news->residuals[news->count - 1].time_s - first_s) / (double)(news->count - 1);
    int64_t held = (int64_t)fmin(fmax(round(step_s / span), 1), MULTI_BUCKETS);
    for (size_t i = 0; i < news->count; i++) {
        const struct decomposition_residual *one = &news->residuals[i];
        if (!(one->weight > 0)) continue;
        int64_t number = (int64_t)round((one->time_s - first_s) / step_s) * held;
        for (int64_t k = 0; k < held; k++)
            multi_bucket_add(&s->multi, number + k, series_cut(one->value), 1);
        multi_bucket_learn(&s->multi, share(s) * fmin((double)held, 1 / share(s)), 1);
    }
    multi_bucket_clear(&s->multi);
}

/* The trend has changed: what is left of the series is learned again from the window. */
static void relearn(struct series *s, const struct decomposition_news *news) {
    s->residual = residual_new(false, false);
    for (size_t i = 0; i < news->count; i++) {
        struct family_sample sample = {series_cut(news->residuals[i].value),
                                       news->residuals[i].weight, 1};
        if (sample.weight > 0) residual_learn(&s->residual, &sample, 1);
    }
    if (news->seasonal) start_anew(s);
    relearn_window(s, news);
}

/* Each sample's residual, after the trend has learned. Returns their mean. */
static double learn_residuals(struct series *s, const struct series_bucket *bucket, double rate,
                              const struct digest *d) {
    double sum = 0, weights = 0;
    for (size_t i = 0; i < bucket->count; i++) {
        const struct series_sample *sample = &bucket->samples[i];
        double value = series_cut(sample->value);
        double trust = bucket->count == 1 ? d->trust : trust_in(s, sample, value);
        double r = value - decomposition_predict(s->expected, sample->time_s, 0).mean;
        struct family_sample one = {r, rate * sample->weight * trust,
                                    series_scale(s, sample->time_s)};
        if (one.weight > 0) residual_learn(&s->residual, &one, 1);
        sum += sample->weight * r;
        weights += sample->weight;
    }
    return sum / weights;
}

/* The controllers see the errors of the predictions made before the bucket was learned. */
static void learn_decay(struct series *s, double error, double r_error, double level) {
    struct decay_options options = {series_rate(s), share(s), (double)s->options.bucket_span_s,
                                    false};
    decay_learn(&s->trend_decay, &options, error, level);
    options.both_ways = true;
    decay_learn(&s->residual_decay, &options, r_error, level);
    decomposition_set_decay(s->expected, decay_multiplier(&s->trend_decay));
}

bool series_learn(struct series *s, const struct series_bucket *bucket,
                  struct decomposition_news *news) {
    news->relearn = news->seasonal = false;
    news->count = news->texts = 0;
    if (bucket->count == 0) return true;
    int64_t number = series_number(s, bucket->start_s);
    enter(s, number);
    double rate = share(s) * bucket->weight;
    struct digest d = digest(s, bucket);
    if (!(d.weight > 0)) return true;
    double before = decomposition_predict(s->expected, d.time_s, 0).mean;
    double r_before = residual_mean(&s->residual), seen = derate(s, d.time_s);
    bool known = residual_informed(&s->residual);
    bool whole = true;  // what a rule keeps from the model is no evidence for a change either
    if (bucket->weight >= 1)
        whole =
            decomposition_learn(s->expected, d.time_s, d.value, rate * d.weight, d.trust, news);
    if (news->relearn) relearn(s, news);
    double r = learn_residuals(s, bucket, rate, &d);
    double scale = series_scale(s, d.time_s);
    if (!s->options.population) {
        // A lone outlier would otherwise call the calm hours after it strange.
        multi_bucket_add(&s->multi, number, r, d.trust / scale);
        multi_bucket_learn(&s->multi, rate, seen);
    }
    if (known && !news->relearn)
        learn_decay(s, d.value - before, r - r_before, before + r_before);
    if (!bucket->ageless) age(s, 1);
    return whole;
}

void series_shift_time(struct series *s, double seconds) {
    decomposition_shift_time(s->expected, seconds);
}

size_t series_bytes(const struct series *s) {
    return sizeof *s + decomposition_bytes(s->expected);
}

int64_t series_last_s(const struct series *s) { return s->last * s->options.bucket_span_s; }
