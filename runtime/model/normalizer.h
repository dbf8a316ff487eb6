/* model/normalizer.h - raw scores as scores from 0 to 100, by what this job has seen.
 * One normaliser stands for one level: the buckets, the records of one detector, the values of
 * one influencer field. A score is the lowest of four ceilings:
 *     noise         the raw score lies little above the median of all
 *     percentile    many raw scores were as high
 *     largest       its own scope has seen a higher one
 *     probability   it is not improbable enough
 * Raw scores are kept in steps of 1/1000 in a sorted histogram of at most 512 steps, which
 * merges neighbours, never 0 and the largest ones.
 * Source: elastic-model, chapter 11; 14.3 step 4 (the histogram). */
#ifndef BLIP_MODEL_NORMALIZER_H
#define BLIP_MODEL_NORMALIZER_H

#include "base/error.h"
#include "model/pack.h"
#include "model/peaks.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NORMALIZER_STEPS 512

struct normalizer_step {
    int32_t at;     // floor(1000 * raw + 0.5)
    double weight;  // samples, aged
};

/* Held by value; normalizer_start() makes it ready, normalizer_free() frees what it holds. */
struct normalizer {
    struct normalizer_step *steps;  // ascending
    size_t count, capacity;
    double total;       // sum of the weights
    double largest;     // of the updates since the last sample
    uint32_t pending;   // updates since then
    uint32_t thinning;  // updates that make one sample
    uint32_t samples;   // since the last ageing of the histogram
    double fade;        // of the peaks, per bucket
    bool moved;         // a peak rose so much since the last normalizer_age() that scores fall
    struct peaks peaks;
};

void normalizer_start(struct normalizer *n, int64_t bucket_span_s);
void normalizer_free(struct normalizer *n);

/* Learns a raw score, zero included, of a scope (see peaks.h). STATUS_NO_MEMORY; nothing has
 * been learnt then. */
enum status normalizer_learn(struct normalizer *n, uint64_t scope, double raw,
                             struct error *err);

/* Learns so many raw scores of zero, of scopes without a peak. STATUS_NO_MEMORY. */
enum status normalizer_learn_zeros(struct normalizer *n, size_t count, struct error *err);

/* One bucket later; call it once before the first normalizer_learn() of a bucket. */
void normalizer_age(struct normalizer *n);

/* The score of a raw score in its scope, 0..100; whether it was learnt before or not. */
double normalizer_score(const struct normalizer *n, uint64_t scope, double raw);

/* The percentile's ceiling for a raw score of which a share `lower` of n others lie below and
 * a share `upper` at or below it: half-way between what the 15 % quantile of the true rank
 * gives for the one, and the 85 % quantile for the other. */
double normalizer_percentile_ceiling(double n, double lower, double upper);

/* The probability's ceiling. */
double normalizer_probability_ceiling(double p);

void normalizer_save(const struct normalizer *n, struct pack *to);
/* Fills a started normaliser. STATUS_INVALID, STATUS_NO_MEMORY; it is then as started. */
enum status normalizer_load(struct normalizer *n, struct unpack *from, struct error *err);

#endif
