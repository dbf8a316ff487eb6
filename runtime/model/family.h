/* model/family.h - what the families of distributions share: normal, log_normal, gamma,
 * poisson. Each is a handful of sufficient statistics with a conjugate prior; each has
 *     F_learn(f, samples, count, integer) -> how well it had predicted them
 *     F_age(f, keep)                      its certainty fades, its mean stays
 *     F_tails, F_probability, F_quantile, F_mean, F_mode, F_variance     of the next value */
#ifndef BLIP_MODEL_FAMILY_H
#define BLIP_MODEL_FAMILY_H

#include "model/tail.h"
#include <stdbool.h>
#include <stddef.h>

struct family_sample {
    double value;   // finite
    double weight;  // as a count of samples, > 0
    double scale;   // its variance relative to the usual one, > 0 (seasonal)
};

/* How well a family had predicted samples, before it learned them. */
struct evidence {
    double ln_likelihood;  // of the samples together
    double distance;       // of that from the likelihood of as many values at the mode, >= 0
};

/* Around what a question is asked. */
struct family_scale {
    double seasonal;  // variance of this moment relative to the usual one
    double count;     // variance of this value relative to a sample's: n* / n
    bool integer;     // every value so far was integral: it stands for [x, x + 1)
};

/* ln gamma(a + step) - ln gamma(a), a > 0: without loss of digits where step is small. */
double family_ln_gamma_step(double a, double step);

double family_ln_gamma(double a);  // ln gamma(a), a > 0; fast, error 1e-10

/* psi(a) and its derivative, a > 0; fast, error 1e-10. */
struct family_psi {
    double value, slope;
};
struct family_psi family_psi(double a);

/* The tails of Student's t with 2 shape degrees of freedom at z; the normal's for shape > 100.
 * A value that stands for an interval of `width` (in units of z) is averaged over it; z is its
 * middle. */
struct tails family_t_tails(double z, double width, double shape);

double family_t_quantile(double shape, double p);

/* Twice the watched tail, at most 1; both watched: twice the smaller one. */
double family_doubled(struct tails t, enum tail watched);

#endif
