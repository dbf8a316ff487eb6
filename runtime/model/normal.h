/* model/normal.h - a normal distribution whose mean and precision are unknown: normal-gamma
 * prior, Student's t as what it predicts.
 * Integral values count as uniform on [x, x + 1).
 * Source: elastic-model specification, chapter 6; DeGroot, "Optimal Statistical Decisions",
 * 1970, 9.6. */
#ifndef BLIP_MODEL_NORMAL_H
#define BLIP_MODEL_NORMAL_H

#include "model/family.h"

struct normal {
    double mean, precision;  // of the mean: its expectation and as how many samples it counts
    double shape, rate;      // of the precision, a gamma distribution
};

/* Knows nothing. */
struct normal normal_new(void);

/* False until the spread is known: all probabilities are then 1. */
bool normal_informed(const struct normal *n);

struct evidence normal_learn(struct normal *n, const struct family_sample *samples,
                             size_t count, bool integer);

/* Values were taken as intervals of width 1 and are points from now on. */
void normal_drop_integer(struct normal *n);

void normal_age(struct normal *n, double keep);

struct tails normal_tails(const struct normal *n, double x, const struct family_scale *s);
double normal_probability(const struct normal *n, double x, const struct family_scale *s,
                          enum tail watched, struct tails *tails);
double normal_quantile(const struct normal *n, double p, const struct family_scale *s);
double normal_mean(const struct normal *n, bool integer);
double normal_variance(const struct normal *n);  // of the next value; infinite for shape <= 1

#endif
