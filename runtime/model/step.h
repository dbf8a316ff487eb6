/* model/step.h - limits how strange a step can be by how large a factor it is.
 *
 * In long tails every new record is far from the last one, and yet nothing happened: only steps
 * by a large factor of the usual deviation count. Deviations are compared on the asinh scale,
 * which is straight near the centre and logarithmic in the tails. Coarse data (counts, flags)
 * have a quantum, and a count one above the highest is no event either.
 * Source: ensemble specification, section 5. */
#ifndef BLIP_MODEL_STEP_H
#define BLIP_MODEL_STEP_H

#include <stdint.h>

/* Centre, spread and quantum of a sequence so far. Held by value; all zero at first. */
struct step {
    double centre;     // running mean
    double deviation;  // running mean absolute deviation from it
    double quantum;    // smallest change between two rows that is not 0; 0 = none so far
};

/* The largest strength of a step that moved a deviation from one size to another. */
double step_limit(const struct step *s, double from, double to);

/* The limit for a value whose nearest earlier value is `distance` away. */
double step_value_limit(const struct step *s, double value, double distance);

/* The limit for a residual whose nearest earlier residual is `distance` away. */
double step_residual_limit(const struct step *s, double residual, double distance);

/* A distance less the quantum, when the quantum is coarse for data of this standard
 * deviation. */
double step_less_quantum(const struct step *s, double distance, double sigma);

/* Learns centre and deviation; `rows` were pushed before this one. */
void step_learn(struct step *s, double value, uint64_t rows);

/* Learns the quantum from two neighbouring rows. */
void step_learn_quantum(struct step *s, double change);

#endif
