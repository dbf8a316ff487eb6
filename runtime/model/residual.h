/* model/residual.h - how what is left of a series is distributed: an average over families,
 * each weighted by how well it has predicted so far ("one of N").
 *
 *     metrics  normal, log-normal, gamma
 *     counts   those and Poisson, until a season or a fraction appears
 *
 * Families below a hundredth of the weight have no say. 250 bytes, no pointers: it may be
 * copied. Source: elastic-model specification, chapter 6. */
#ifndef BLIP_MODEL_RESIDUAL_H
#define BLIP_MODEL_RESIDUAL_H

#include "model/family.h"
#include "model/gamma.h"
#include "model/log_normal.h"
#include "model/normal.h"
#include "model/pack.h"
#include "model/poisson.h"

enum family { FAMILY_NORMAL, FAMILY_LOG_NORMAL, FAMILY_GAMMA, FAMILY_POISSON, FAMILIES };

struct residual {
    struct normal normal;
    struct log_normal log_normal;
    struct gamma gamma;
    struct poisson poisson;
    double ln_weight[FAMILIES];      // of the families, the heaviest 0
    double share[FAMILIES];          // their say since they last learned: 0 or >= 0.01, sum 1
    double count, mean, deviations;  // of the samples; sum of squared deviations
    bool integer;                    // every value so far was integral
    bool poisson_out;                // the Poisson family has left
};

/* What a question is about. */
struct residual_scale {
    double seasonal;  // variance at this moment relative to the usual one; 1 = as usual
    double count;     // variance of this value relative to a sample's: n* / n; 1 = a sample
};

/* Knows nothing: every probability is 1.
 *   count    whether the values count things
 *   integer  whether they are integers as long as no fraction was seen */
struct residual residual_new(bool count, bool integer);

/* False while nothing is known of the spread. */
bool residual_informed(const struct residual *r);

/* Learns samples; with count 0 does nothing. */
void residual_learn(struct residual *r, const struct family_sample *samples, size_t count);

/* Certainty fades: keep = e^-decay, in (0, 1]. */
void residual_age(struct residual *r, double keep);

/* Probability of what is less likely than x on the watched sides, in [0, 1]; one side: twice
 * its tail. *tail (may be NULL) becomes the side on which x lies. 1 while nothing is known. */
double residual_probability(const struct residual *r, double x, struct residual_scale s,
                            enum tail watched, enum tail *tail);

/* Both tails at x, averaged over the families; both 1 while nothing is known. */
struct tails residual_tails(const struct residual *r, double x, struct residual_scale s);

/* The smaller tail at x; not exact where it is above `enough`, which it then exceeds. */
double residual_tail(const struct residual *r, double x, struct residual_scale s,
                     double enough);

double residual_quantile(const struct residual *r, double p, struct residual_scale s);
double residual_mean(const struct residual *r);
double residual_mode(const struct residual *r);
double residual_variance(const struct residual *r);  // of the next value; may be infinite

void residual_save(const struct residual *r, struct pack *p);
/* Returns false when the bytes are no residual; *out is then not to be used. */
bool residual_load(struct unpack *u, struct residual *out);

#endif
