/* model/gamma.h - a gamma distribution: its shape by maximum likelihood, its rate unknown with
 * a gamma prior. x + offset is what is distributed; it stays at least 0.1.
 * Integral values count as uniform on [x, x + 1).
 * Source: elastic-model specification, chapter 6; Minka, "Estimating a gamma distribution",
 * 2002. */
#ifndef BLIP_MODEL_GAMMA_H
#define BLIP_MODEL_GAMMA_H

#include "model/family.h"

struct gamma {
    double count, mean, ln_mean;  // of x + offset; the mean of its logarithm
    double shape;                 // the most likely one; 0 until there are samples for it
    double offset;
};

struct gamma gamma_new(void);
bool gamma_informed(const struct gamma *g);
struct evidence gamma_learn(struct gamma *g, const struct family_sample *samples, size_t count,
                            bool integer);
void gamma_drop_integer(struct gamma *g);
void gamma_age(struct gamma *g, double keep);

struct tails gamma_tails(const struct gamma *g, double x, const struct family_scale *s);
/* Both sides watched: the mass beyond the two points of equal density. */
double gamma_probability(const struct gamma *g, double x, const struct family_scale *s,
                         enum tail watched, struct tails *tails);
double gamma_quantile(const struct gamma *g, double p, const struct family_scale *s);
double gamma_mean(const struct gamma *g, bool integer);
double gamma_mode(const struct gamma *g, bool integer);
double gamma_variance(const struct gamma *g);

#endif
