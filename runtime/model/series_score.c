/* model/series_score.c - a series is asked; see series.h. */
#include "model/series_state.h"

#include "model/chance.h"
#include <float.h>
#include <math.h>

static const double INTERVAL = 0.5;       // confidence of the prediction that p allows for
static const double BOUNDS = 0.95;        // confidence of the explanation's bounds
static const int MOST_SINGLE_IMPACT = 5;  // of the explanation

bool series_knows(const struct series *s) { return residual_informed(&s->residual); }

/* What is left of a value: 0 inside the interval of what is expected. */
static double residual_of(const struct series *s, double time_s, double value) {
    struct expected e = decomposition_predict(s->expected, time_s, INTERVAL);
    return fmin(value - e.lower, 0) + fmax(value - e.upper, 0);
}

static double ln_of(double p) { return log(fmin(fmax(p, DBL_MIN), 1)); }

/* What is missing of an incomplete bucket is assumed to be normal: the value moves toward the
 * most likely one, never past it. */
static double corrected(const struct series *s, const struct series_question *q, double value) {
    if (!(q->completeness < 1)) return value;
    double mode =
        decomposition_predict(s->expected, q->time_s, 0).mean + residual_mode(&s->residual);
    double missing = (1 - q->completeness) * mode;
    return value + fmin(fmax(mode - value, fmin(0, missing)), fmax(0, missing));
}

// --- the last hour ---------------------------------------------------------------------------

/* The window that ends with the question's bucket; one that was not learned joins a copy. */
static struct multi_mean window(const struct series *s, const struct series_question *q,
                                double value, double scale) {
    int64_t number = series_number(s, q->start_s);
    if (s->multi.newest == number && !q->interim) return multi_bucket_mean(&s->multi);
    struct multi_bucket copy = s->multi;
    double mean = decomposition_predict(s->expected, q->time_s, 0).mean;
    multi_bucket_add(&copy, number, value - mean, 1 / scale);
    return multi_bucket_mean(&copy);
}

/* Joins what the last twelve buckets say to what this one says. */
static void join_window(const struct series *s, const struct series_question *q,
                        struct series_verdict *v, double p) {
    v->ln_probability = v->ln_single = ln_of(p);
    if (s->options.population) return;
    struct multi_mean mean = window(s, q, v->value, v->seasonal_scale);
    if (mean.count == 0 || !residual_informed(&s->multi.residual)) return;
    struct expected e = decomposition_predict(s->expected, q->time_s, INTERVAL);
    double sure =
        (e.upper - e.lower) / 2;  // what the prediction leaves open is forgiven here too
    double off = copysign(fmax(fabs(mean.value) - sure, 0), mean.value);
    double p_multi = multi_bucket_probability(
        &s->multi, off, residual_variance(&s->residual) * v->seasonal_scale,
        s->options.watched);
    v->multi_bucket = true;
    v->ln_multi = ln_of(p_multi);
    v->multi_bucket_impact = multi_bucket_impact(v->ln_single, v->ln_multi);
    v->ln_probability = ln_of(chance_pair(p, p_multi, chance_window_correlation(mean.count)));
}

// --- the anomaly -----------------------------------------------------------------------------

/* How many standard deviations the residual lies off. */
static double error_of(const struct series *s, double r, const struct series_verdict *v,
                       double count_scale) {
    double variance = residual_variance(&s->residual) * v->seasonal_scale * count_scale;
    if (!(variance > 0) || !isfinite(variance)) return 0;
    return (r - residual_mean(&s->residual)) / sqrt(variance);
}

static void judge_anomaly(struct series *s, const struct series_question *q, double r,
                          struct series_verdict *v) {
    if (s->options.population) return;  // the next value is another person's
    struct anomaly_bucket bucket = {.number = series_number(s, q->start_s),
                                    .ln_single = v->ln_single,
                                    .ln_p = v->ln_probability,
                                    .error = error_of(s, r, v, q->count_scale),
                                    .fade = series_rate(s),
                                    .weight = q->weight};
    struct anomaly_answer answer = anomaly_model_ask(&s->anomaly, &bucket, q->interim);
    v->ln_probability = fmax(answer.ln_p, log(DBL_MIN));
    v->ln_anomaly = answer.ln_anomaly;
}

void series_score(struct series *s, const struct series_question *q, struct series_verdict *v) {
    *v = (struct series_verdict){.value = series_cut(q->value), .probability = 1};
    v->value = corrected(s, q, v->value);
    v->seasonal_scale = series_scale(s, q->time_s);
    struct residual_scale scale = {v->seasonal_scale, q->count_scale};
    double r = residual_of(s, q->time_s, v->value);
    double p = residual_probability(&s->residual, r, scale, s->options.watched, &v->tail);
    join_window(s, q, v, p);
    judge_anomaly(s, q, r, v);
    v->probability = fmax(exp(v->ln_probability), DBL_MIN);
}

double series_ln_tail(const struct series *s, double time_s, double value, double count_scale,
                      enum tail tail) {
    struct residual_scale scale = {series_scale(s, time_s), count_scale};
    double r = residual_of(s, time_s, series_cut(value));
    return ln_of(residual_probability(&s->residual, r, scale, tail, NULL));
}

// --- what is expected ------------------------------------------------------------------------

/* Values that cannot be are none: below 0 where none ever was. */
static double supported(const struct series *s, double value) {
    bool possible = s->negative && !s->options.count && !s->options.non_negative;
    return possible ? value : fmax(value, 0);
}

struct series_bounds series_bounds(const struct series *s, double time_s, double count_scale,
                                   double confidence) {
    double mean = decomposition_predict(s->expected, time_s, 0).mean;
    double out = (1 - confidence) / 2, p[] = {out, 0.5, 1 - out}, x[3];
    struct residual_scale scale = {series_scale(s, time_s), count_scale};
    for (size_t i = 0; i < 3; i++)
        x[i] = supported(s, mean + residual_quantile(&s->residual, p[i], scale));
    return (struct series_bounds){x[0], x[1], x[2]};
}

double series_typical(const struct series *s, double time_s) {
    double mean = decomposition_predict(s->expected, time_s, 0).mean;
    struct residual_scale scale = {1, 1};
    return supported(s, mean + residual_quantile(&s->residual, 0.5, scale));
}

/* -log10 p of a part of the verdict, where that is significant. */
static int impact(double ln_p) {
    return ln_p < log(CHANCE_SIGNIFICANT) ? (int)round(-ln_p / log(10)) : 0;
}

static int at_most(int value, int most) { return value < most ? value : most; }

void series_explain(const struct series *s, const struct series_question *q,
                    const struct series_verdict *v, struct series_explanation *e) {
    double typical = series_typical(s, q->time_s);
    *e = (struct series_explanation){.typical = corrected(s, q, typical)};
    e->lower = e->upper = e->typical_value = NAN;
    if (!(v->probability < CHANCE_SIGNIFICANT)) return;
    struct series_bounds bounds = series_bounds(s, q->time_s, q->count_scale, BOUNDS);
    e->lower = bounds.lower;
    e->upper = bounds.upper;
    e->typical_value = e->typical;
    e->single_bucket_impact = at_most(impact(v->ln_single), MOST_SINGLE_IMPACT);
    e->multi_bucket_impact = impact(v->ln_multi);
    e->anomaly_characteristics_impact = impact(v->ln_anomaly);
    e->length = anomaly_model_length(&s->anomaly, series_number(s, q->start_s));
    if (e->length > 0) e->type = anomaly_model_side(&s->anomaly);
    e->high_variance_penalty = v->seasonal_scale > 1;
    e->incomplete_bucket_penalty = q->count_scale > 1;
}
