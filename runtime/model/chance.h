/* model/chance.h - probabilities as scores, and many probabilities as one.
 * Probabilities are floored at the smallest normal double; where an answer may lie below that
 * it is a natural logarithm, and says so in its name.
 * Source: elastic-model, chapters 7 (the pair) and 9. */
#ifndef BLIP_MODEL_CHANCE_H
#define BLIP_MODEL_CHANCE_H

#include <stdbool.h>
#include <stddef.h>

#define CHANCE_SIGNIFICANT 0.05  // nothing above it scores
#define CHANCE_WRITTEN 0.035     // nothing above it is worth a result of its own
#define CHANCE_SMALLEST 2.2250738585072014e-308
#define CHANCE_TOP_MOST 5  // the largest `most` of a style

// --- raw scores ------------------------------------------------------------------------------

/* The raw score of a probability, 0..100: 0 from 0.05 on, 1 at 1e-4, 50 at 1e-50, 100 at the
 * smallest double. */
double chance_score(double p);
double chance_score_ln(double ln_p);

/* The probability of a raw score; 0.525 for 0. */
double chance_inverse(double score);

// --- many into one ---------------------------------------------------------------------------

/* Gathers independent probabilities for their joint one. Held by value; all zero at first. */
struct chance_joint {
    double squares;  // sum of weight * z^2, z the normal deviate of p / 2
    double count;    // sum of the weights
};
void chance_joint_add(struct chance_joint *j, double p, double weight);
double chance_joint_ln(const struct chance_joint *j);  // ln; 0 when nothing was added

/* ln of the probability that the smallest of n independent ones is at most p. */
double chance_extreme_ln(double p, size_t n);

/* ln of the probability that the m smallest of n uniform numbers are all at or below these.
 *   smallest  [m], ascending; 1 <= m <= n, m <= CHANCE_TOP_MOST */
double chance_smallest_ln(const double *smallest, size_t m, size_t n);

/* Two probabilities whose normal deviates have the correlation rho, 0 <= rho < 1, as one. */
double chance_pair(double a, double b, double rho);

/* The correlation of the newest bucket with the weighted mean of the last n, 1 <= n. */
double chance_window_correlation(size_t n);

// --- aggregation -----------------------------------------------------------------------------

/* How children's probabilities become their parent's. */
struct chance_style {
    double joint, extreme;  // weights; their sum is 1
    size_t fewest, most;    // bounds of M in "the M smallest of N"
};
extern const struct chance_style CHANCE_PEOPLE, CHANCE_ATTRIBUTES, CHANCE_DETECTORS;

struct chance_total {
    double p, raw;
};

/* Gathers children one at a time, so that no list of them is needed. Start with
 * chance_gather_start(). */
struct chance_gather {
    const struct chance_style *style;
    struct chance_joint joint;
    double smallest[CHANCE_TOP_MOST];  // ascending; the first min(count, 5) are set
    size_t count;
};
void chance_gather_start(struct chance_gather *g, const struct chance_style *style);
void chance_gather_add(struct chance_gather *g, double p);

/* The aggregate of what was gathered; { 1, 0 } when nothing was. */
struct chance_total chance_gather_total(const struct chance_gather *g);

#endif
