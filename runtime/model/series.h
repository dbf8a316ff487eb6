/* model/series.h - the model of one numeric feature of one series: counts per bucket, a mean, a
 * sum, a minimum ... It learns a bucket first and then gives the probability of its value: what
 * keeps an anomaly from explaining itself are outlier weights, not the order.
 *
 *     value ─▶ decomposition ─▶ residual ─┬─▶ one of N distributions ─▶ p of this bucket ───┐
 *               (trend, seasons)          └─▶ mean of 12 buckets ─────▶ p of the last hours ┴▶ p
 *
 * Per bucket:  series_learn(s, &bucket, &news)       where the bucket had samples
 *              series_score(s, &question, &verdict)  where it has a value
 *              series_explain(s, &question, &verdict, &explanation)   for what is written
 * Buckets without a value need no call: the next one ages the series over them.
 * Nothing is allocated after series_new() but where a season is found. A series belongs to one
 * thread at a time. Same calls, same bytes: saving and loading at any bucket changes nothing.
 * Source: elastic-model specification, chapters 4, 6 and 7. */
#ifndef BLIP_MODEL_SERIES_H
#define BLIP_MODEL_SERIES_H

#include "base/error.h"
#include "model/decomposition.h"
#include "model/pack.h"
#include "model/tail.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct series;

struct series_options {
    int64_t bucket_span_s;  // > 0
    enum tail watched;      // TAIL_BELOW for low_, TAIL_ABOVE for high_ and max
    bool count;             // counts of things: integers >= 0, a Poisson may describe them
    bool non_negative;  // a value below 0 cannot be, though none was seen yet: sums of counts
    bool population;    // many persons share the series: no multi-bucket, no small scales, no
                        // anomaly that goes on from value to value
};

/* Creates a series that knows nothing: every probability is 1. series_free() frees it. NULL
 * when memory runs out. */
struct series *series_new(const struct series_options *options);
void series_free(struct series *s);
const struct series_options *series_options(const struct series *s);

// --- learning --------------------------------------------------------------------------------

/* One sample of a metric (a statistic of n* measurements), or the value of a count. */
struct series_sample {
    double time_s;  // mean time of its measurements; of counts, sums the middle of the bucket
    double value;   // finite
    double weight;  // share of the bucket: 1 / samples; a person's weight in a population
};

struct series_bucket {
    int64_t start_s;
    const struct series_sample *samples;  // [count], in order of time
    size_t count;                         // 0: it was empty
    double weight;                        // 1; 0.005 where a rule skips the update of the model
    bool ageless;                         // a scheduled event covers the bucket: nothing fades
};

/* Learns a bucket; buckets come in order of time. The first sample ever sets the series' birth.
 * `news` is scratch of the caller that is always filled: it has texts for annotations.
 * Returns false when memory ran out while a season was added: the season is then missing. */
bool series_learn(struct series *s, const struct series_bucket *bucket,
                  struct decomposition_news *news);

/* A rule's force_time_shift: what was expected at t is expected at t + seconds. */
void series_shift_time(struct series *s, double seconds);

// --- asking ----------------------------------------------------------------------------------

struct series_question {
    int64_t start_s;      // of the bucket
    double time_s;        // of the value, as in series_sample
    double value;         // the exact statistic of the whole bucket
    double count_scale;   // n* / n for mean, median and varp; else 1
    double completeness;  // in [0, 1]: below 1 what is missing is assumed to be normal (counts
                          // and sums of interim results)
    double weight;        // as in series_bucket: below 1 the anomaly model does not learn
    bool interim;         // the bucket was not learned; the series stays as it is
};

struct series_verdict {
    double probability;          // in [DBL_MIN, 1]
    double ln_probability;       // its natural logarithm
    double ln_single, ln_multi;  // of this bucket, of the last twelve; ln_multi = 0 without
    double ln_anomaly;           // of this anomaly among past ones; 0 when there were none
    double multi_bucket_impact;  // -5 (this bucket alone) .. 5 (the last twelve)
    enum tail tail;              // where the value lies; TAIL_BOTH while ignorant
    double value;                // corrected for completeness
    double seasonal_scale;       // of the residual's variance
    bool multi_bucket;           // there was a window
};

void series_score(struct series *s, const struct series_question *q, struct series_verdict *v);

/* What is expected at a time: bounds of the values of one bucket, in the value's unit. Where
 * nothing is known yet all three are the mean so far, or 0. */
struct series_bounds {
    double lower, median, upper;
};

/*   count_scale  as in series_question
 *   confidence   in (0, 1): 0.95 for the model plot */
struct series_bounds series_bounds(const struct series *s, double time_s, double count_scale,
                                   double confidence);

/* The value that is shown beside the actual one. */
double series_typical(const struct series *s, double time_s);

/* Whether the series expects something: false while all its probabilities are 1. */
bool series_knows(const struct series *s);

/* ln of the one-sided probability (doubled, at most 0) of a value beyond the tail that a
 * verdict named, without multi-bucket and anomaly model: what influence compares. >= ln
 * DBL_MIN. */
double series_ln_tail(const struct series *s, double time_s, double value, double count_scale,
                      enum tail tail);

/* anomaly_score_explanation. Members that say nothing are 0, false or NaN. */
struct series_explanation {
    double typical;            // also for records without an explanation
    double lower, upper;       // 95 % bounds; NaN where p >= 0.05
    double typical_value;      // NaN where p >= 0.05
    int single_bucket_impact;  // -log10 p of each part, where p < 0.05
    int multi_bucket_impact;
    int anomaly_characteristics_impact;
    enum tail type;  // TAIL_ABOVE spike, TAIL_BELOW dip, TAIL_BOTH none
    int length;      // of the anomaly in buckets; 0 = none
    bool high_variance_penalty;
    bool incomplete_bucket_penalty;
    bool multimodal_distribution;
};

/* Explains a verdict; ask before the series learns more. */
void series_explain(const struct series *s, const struct series_question *q,
                    const struct series_verdict *v, struct series_explanation *e);

// --- keeping ---------------------------------------------------------------------------------

size_t series_bytes(const struct series *s);  // memory

/* The start of the last bucket that had a sample: for pruning. */
int64_t series_last_s(const struct series *s);

void series_save(const struct series *s, struct pack *p);

/* Reads what was saved. STATUS_INVALID when the bytes are no series; STATUS_NO_MEMORY. */
enum status series_load(struct unpack *u, struct series **out, struct error *err);

#endif
