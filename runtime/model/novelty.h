/* model/novelty.h - how new the newest value of a sequence is, and how strange that is.
 *
 * The novelty of a sequence is the distance of its newest value to the nearest one in its
 * past; the last NOVELTY_SKIP rows are left out so that an excursion does not explain itself.
 * Its strength is how far it exceeds the novelties so far, in their standard deviations.
 * Source: ensemble specification, section 5. */
#ifndef BLIP_MODEL_NOVELTY_H
#define BLIP_MODEL_NOVELTY_H

#include "model/past.h"

#define NOVELTY_SKIP 16     // rows before this one that are no neighbours
#define NOVELTY_ZEROS 10.0  // novelties of zero assumed before the first one
#define NOVELTY_STRONGEST 1000.0

/* Distance of the newest value to the nearest of the values NOVELTY_SKIP..rows rows ago;
 * 0 when there is none. */
double novelty_of(const struct past *p, size_t rows);

/* The novelties of a sequence so far, as fading sums. */
struct novelty {
    double sum, squares, weight;
};

/* Strength of a novelty against the earlier ones, 0..NOVELTY_STRONGEST.
 *   floor  added to their standard deviation, in the novelty's unit */
double novelty_strength(const struct novelty *n, double distance, double floor);

/* Learns a novelty; zeros do not count, for repeated values must not make every new one
 * infinitely strange.
 *   fade   factor that older novelties lose per update */
void novelty_learn(struct novelty *n, double distance, double fade);

#endif
