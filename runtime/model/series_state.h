/* model/series_state.h - what a series is made of; for series*.c alone. */
#ifndef BLIP_MODEL_SERIES_STATE_H
#define BLIP_MODEL_SERIES_STATE_H

#include "model/anomaly_model.h"
#include "model/decay.h"
#include "model/multi_bucket.h"
#include "model/series.h"

struct series {
    struct series_options options;
    struct decomposition *expected;
    struct residual residual;
    struct multi_bucket multi;
    struct anomaly_model anomaly;
    struct decay trend_decay, residual_decay;
    int64_t first, last;     // numbers of buckets (start / span) that had a sample
    double buckets, filled;  // since the first, and those with samples; both fade
    bool born;
    bool negative;  // a value below 0 was seen
};

#define SERIES_LARGEST 1e30  // values beyond are cut off: their squares stay finite

static inline double series_cut(double value) {
    if (value > SERIES_LARGEST) return SERIES_LARGEST;
    if (value < -SERIES_LARGEST) return -SERIES_LARGEST;
    return value == value ? value : 0;  // NaN, that of infinite sums, must not spread
}

static inline int64_t series_number(const struct series *s, int64_t start_s) {
    int64_t span = s->options.bucket_span_s, rest = start_s % span;
    return (start_s - (rest < 0 ? rest + span : rest)) / span;
}

/* Decay rate per bucket before the controllers. */
double series_rate(const struct series *s);

/* The variance of residuals at a time relative to the usual one. */
double series_scale(const struct series *s, double time_s);

#endif
