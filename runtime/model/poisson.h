/* model/poisson.h - a Poisson distribution whose rate is unknown: gamma prior, negative
 * binomial as what it predicts. Values are counts >= 0. Source: elastic-model specification,
 * chapter 6. */
#ifndef BLIP_MODEL_POISSON_H
#define BLIP_MODEL_POISSON_H

#include "model/family.h"

struct poisson {
    double shape, rate;  // of the rate: 0.1 + the sum of the values, and their number
};

struct poisson poisson_new(void);
bool poisson_informed(const struct poisson *p);
struct evidence poisson_learn(struct poisson *p, const struct family_sample *samples,
                              size_t count);
void poisson_age(struct poisson *p, double keep);

/* P(X <= x) and P(X >= x): both hold the mass of x. */
struct tails poisson_tails(const struct poisson *p, double x);
/* Both sides watched: the mass of all counts that are no more likely than x. */
double poisson_probability(const struct poisson *p, double x, enum tail watched,
                           struct tails *tails);
double poisson_quantile(const struct poisson *p, double probability);
double poisson_mean(const struct poisson *p);
double poisson_mode(const struct poisson *p);
double poisson_variance(const struct poisson *p);

#endif
